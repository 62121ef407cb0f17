-- A ledger that is chained in batches and signed.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- What was done. An entry is one insert in the transaction of its deed; nobody waits for anybody.
-- Every column is covered by `digest`.
create table ledger_entry (
    id       uuid primary key,
    at       timestamptz not null,
    actor    text not null,
    deed     text not null,
    subject  text not null,
    details  jsonb not null,
    digest   bytea not null
);

-- The chain. That each link's entry is there is for `verify` to find: a foreign key would write to every entry
-- a second time, and nobody may delete entries anyway. Form 1 is a row that was chained in its own transaction, with one digest for entry and link.
create table ledger_link (
    position  bigint primary key check (position > 0),
    entry     uuid not null unique,
    form      smallint not null check (form in (1, 2)),
    previous  bytea not null,
    digest    bytea not null
);

-- Committed entries that aren't linked yet, in the order of their arrival. The only table of the ledger that
-- rows leave; an entry that is neither here nor in the chain shows in `verify`.
create table ledger_tail (
    number  bigint generated always as identity primary key,
    entry   uuid not null,
    digest  bytea not null
);

-- Signed heads: the links from `first` to `position`, the digest of the last and the root of their Merkle tree.
create table ledger_checkpoint (
    position    bigint primary key check (position >= first),
    first       bigint not null check (first > 0),
    at          timestamptz not null,
    head        bytea not null,
    root        bytea not null,
    public_key  bytea not null,
    signature   bytea not null
);

-- Rows from before keep their digests. Their ids carry the moment, the position and the digest's beginning.
create temporary table ledger_moved on commit drop as
select position, at, actor, deed, subject, details, previous, digest,
       (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0')
        || '7' || lpad(to_hex(position % 4096), 3, '0')
        || '8' || substr(encode(digest, 'hex'), 1, 15))::uuid as id
from ledger;

insert into ledger_entry (id, at, actor, deed, subject, details, digest)
select id, at, actor, deed, subject, details, digest from ledger_moved order by position;

insert into ledger_link (position, entry, form, previous, digest)
select position, id, 1, previous, digest from ledger_moved order by position;

alter table rollout_event add column ledger_entry uuid;
update rollout_event set ledger_entry = moved.id
from ledger_moved moved where moved.position = rollout_event.ledger_position;
alter table rollout_event drop column ledger_position;

drop table ledger;

create view ledger as
select link.position, entry.id, entry.at, entry.actor, entry.deed, entry.subject, entry.details,
       entry.digest, link.form, link.previous, link.digest as link_digest
from ledger_entry entry left join ledger_link link on link.entry = entry.id;

create index ledger_entry_subject on ledger_entry (subject, id);
create index ledger_entry_deed on ledger_entry (deed text_pattern_ops, id);
create index ledger_entry_actor on ledger_entry (actor, id);

create trigger ledger_entry_is_append_only before update or delete or truncate on ledger_entry
    for each statement execute function refuse_change();
create trigger ledger_link_is_append_only before update or delete or truncate on ledger_link
    for each statement execute function refuse_change();
create trigger ledger_checkpoint_is_append_only before update or delete or truncate on ledger_checkpoint
    for each statement execute function refuse_change();

grant select, insert on ledger_entry, ledger_link, ledger_checkpoint to {app_role};
grant select, insert, delete on ledger_tail to {app_role};
grant select on ledger to {app_role};
