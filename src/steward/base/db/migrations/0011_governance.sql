-- Controls that were shown at work, and who agreed to what.
-- {app_role} is replaced, as plain text, by the role the application runs under.

select 1;
