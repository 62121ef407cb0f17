-- Why a turn answered, asked or handed over.
-- {app_role} is replaced, as plain text, by the role the application runs under.

select 1;
