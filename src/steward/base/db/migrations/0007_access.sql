-- How staff sign in, and where an account may act.
-- {app_role} is replaced, as plain text, by the role the application runs under.

select 1;
