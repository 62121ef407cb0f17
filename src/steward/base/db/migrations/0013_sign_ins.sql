-- What went before a sign-in.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- Wrong passwords and codes since the account's last sign-in; that sign-in's ledger entry says how many.
alter table account add column failed_sign_ins integer not null default 0;
