-- How long things are kept, and who was erased.
-- {app_role} is replaced, as plain text, by the role the application runs under.

select 1;
