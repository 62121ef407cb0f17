-- Logins that the identity provider may end.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- Digest of what the provider calls its own login (`sid`); null where it names none.
alter table console_session add column provider_login bytea;
create index console_session_provider_login on console_session (provider_login) where provider_login is not null;
