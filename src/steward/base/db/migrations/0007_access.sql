-- How staff sign in, and where an account may act.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- ---------------------------------------------------------------- accounts
-- `issuer` and `subject` name a person of an identity provider; such an account has no password here.
-- `emergency` opens the door where local accounts are switched off. `second_factor` is a secret wrapped by
-- the master key; it counts once `second_factor_since` is set. `second_factor_step` is the last step of time
-- whose code was used: no code works twice. `disabled_because` tells an admin's no from the mapping's.
alter table account
    add column issuer text,
    add column subject text,
    add column emergency boolean not null default false,
    add column second_factor bytea,
    add column second_factor_since timestamptz,
    add column second_factor_step bigint,
    add column disabled_because text check (disabled_because in ('admin', 'no_role')),
    add constraint account_person unique (issuer, subject),
    add constraint account_origin check ((issuer is null) = (subject is null));

-- An account with rows here sees and does only what belongs to these categories of the assistant.
create table account_scope (
    account_id  uuid not null references account on delete cascade,
    category    text not null,
    primary key (account_id, category)
);

create table recovery_code (
    account_id  uuid not null references account on delete cascade,
    digest      bytea not null,
    used_at     timestamptz,
    primary key (account_id, digest)
);

-- ---------------------------------------------------------------- signing in
-- `stage`: a login that still lacks its second factor opens nothing. `id_token` is wrapped by the master key.
alter table console_session
    add column id uuid not null default gen_random_uuid() unique,
    add column stage text not null default 'open' check (stage in ('open', 'code', 'enrol')),
    add column agent text,
    add column last_at timestamptz,
    add column id_token bytea;
create index console_session_account on console_session (account_id);

-- One row per browser that is on its way to the identity provider and back; taken out when it returns.
create table sign_in (
    state_digest    bytea primary key,
    browser_digest  bytea not null,
    nonce           text not null,
    verifier        text not null,
    next            text not null,
    expires_at      timestamptz not null
);

-- ---------------------------------------------------------------- keys and customers' tokens
alter table api_key
    add column origins text[] not null default '{}',
    add column last_used_on date,
    add column replaces uuid references api_key;

-- Tokens that may be used once, until they would have expired anyway.
create table used_token (
    digest      bytea primary key,
    expires_at  timestamptz not null
);
create index used_token_expiry on used_token (expires_at);

grant select, insert, update, delete on account_scope, recovery_code, sign_in, used_token to {app_role};
