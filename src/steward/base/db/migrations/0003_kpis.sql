-- Hourly roll-ups and the columns that KPIs read.
select 1;
