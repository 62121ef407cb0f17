-- Runs of evaluation cases and their results.
select 1;
