-- Answers that a candidate gave unseen.
select 1;
