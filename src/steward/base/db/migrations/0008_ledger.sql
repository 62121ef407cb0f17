-- A ledger that is chained in batches and signed.
-- {app_role} is replaced, as plain text, by the role the application runs under.

select 1;
