-- Keys that are kept by an external service, and the key that finds customers again.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- A master key in the form in which a key service sealed it; nobody without the service can open it.
-- The newest is in use, older ones are read until what they wrapped has been wrapped anew.
create table sealed_master_key (
    id       text primary key,
    service  text not null,
    sealed   text not null,
    made_at  timestamptz not null
);

-- Keys the digests of customers' references. It is wrapped by the master key and outlives it: a rotation
-- wraps it anew, so that no digest ever has to be computed again.
create table lookup_key (
    id       smallint primary key default 1 check (id = 1),
    wrapped  bytea not null
);

grant select, insert, update, delete on sealed_master_key, lookup_key to {app_role};
