-- Keys that were rotated and what was revealed.
-- {app_role} is replaced, as plain text, by the role the application runs under.

select 1;
