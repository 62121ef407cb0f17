-- How long things are kept, who was erased, and what left the house. {app_role} is replaced, as plain text, by the
-- role the application runs under.

-- ---------------------------------------------------------------- what must stay
-- A hold keeps everything of a customer, whatever the rules say, until somebody lifts it.
create table legal_hold (
    id           uuid primary key,
    customer_id  uuid not null references customer,
    reason       text not null,
    placed_at    timestamptz not null,
    placed_by    text not null,
    lifted_at    timestamptz,
    lifted_by    text
);
create unique index legal_hold_active on legal_hold (customer_id) where lifted_at is null;

create view held_customer as select customer_id from legal_hold where lifted_at is null;

-- ---------------------------------------------------------------- who was erased
-- `content` is what the certificate says, as bytes, for its signature is over them; null until it's done.
create table erasure (
    id           uuid primary key,
    state        text not null check (state in ('begun', 'done')),
    ground       text not null,
    asked_by     text not null,
    begun_at     timestamptz not null,
    finished_at  timestamptz,
    rows_gone    bigint not null default 0,
    content      bytea,
    public_key   bytea,
    signature    bytea,
    check ((state = 'done') = (content is not null and signature is not null))
);
create index erasure_begun on erasure (begun_at) where state = 'begun';

-- The ids that an erasure is of. The customers' own rows are gone when it's done: an id leads nowhere.
create table erasure_customer (
    customer_id  uuid primary key,
    erasure_id   uuid not null references erasure
);
create index erasure_customer_of on erasure_customer (erasure_id);

-- ---------------------------------------------------------------- what left the house
create table export_made (
    id           uuid primary key,
    kind         text not null check (kind in ('subject', 'ledger')),
    customer_id  uuid,
    made_at      timestamptz not null,
    made_by      text not null,
    records      bigint not null,
    digest       bytea not null
);
create index export_made_customer on export_made (customer_id) where customer_id is not null;

-- ---------------------------------------------------------------- the daily round
create table retention_run (
    id           uuid primary key,
    started_at   timestamptz not null,
    finished_at  timestamptz,
    counts       jsonb not null default '{}'
);
create index retention_run_recent on retention_run (started_at desc);

-- ---------------------------------------------------------------- what stays without its person
-- An action of an erased customer stays for the accounts: what was done and when, for nobody.
alter table action
    alter column run_id drop not null,
    alter column conversation_id drop not null,
    alter column arguments_sealed drop not null,
    alter column arguments_digest drop not null;
create index action_detached on action (created_at) where run_id is null;

-- Deleting a conversation or a customer would read these tables whole for each of them.
create index workflow_run_conversation on workflow_run (conversation_id);
create index workflow_run_customer on workflow_run (customer_id);
create index assignment_customer on assignment (customer_id);
create index shadow_turn_turn on shadow_turn (turn_id);
-- Silent conversations are looked for every minute.
create index conversation_silent on conversation (assistant, last_at) where state = 'open';

grant select, insert, update, delete on legal_hold, export_made, retention_run to {app_role};
grant select, insert, update on erasure, erasure_customer to {app_role};
grant select on held_customer to {app_role};
