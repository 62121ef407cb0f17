-- The foundation of Steward's store. {app_role} is replaced, as plain text, by the role the application runs under.
-- Times are UTC timestamptz, ids are UUIDv7, money is numeric with its currency beside it.
-- Every "sealed" column is AES-256-GCM ciphertext under the customer's own key.

create extension if not exists vector;

-- ---------------------------------------------------------------- who may
create table account (
    id          uuid primary key,
    login       text not null unique,
    name        text not null,
    role        text not null,
    password    text,
    state       text not null default 'active' check (state in ('active', 'disabled')),
    created_at  timestamptz not null
);

create table console_session (
    token_digest  bytea primary key,
    account_id    uuid not null references account on delete cascade,
    csrf_token    text not null,
    created_at    timestamptz not null,
    expires_at    timestamptz not null
);

create table api_key (
    id          uuid primary key,
    name        text not null,
    kind        text not null check (kind in ('public', 'secret')),
    digest      bytea not null unique,
    hint        text not null,
    scopes      text[] not null,
    created_by  uuid references account,
    created_at  timestamptz not null,
    expires_at  timestamptz,
    revoked_at  timestamptz
);

create table signing_key (
    id          text primary key,
    purpose     text not null,
    sealed      bytea not null,
    created_at  timestamptz not null,
    retired_at  timestamptz
);

-- ---------------------------------------------------------------- what was done
create table ledger (
    position   bigint primary key check (position > 0),
    at         timestamptz not null,
    actor      text not null,
    deed       text not null,
    subject    text not null,
    details    jsonb not null,
    previous   bytea not null,
    digest     bytea not null unique
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'table % is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;

create trigger ledger_is_append_only before update or delete or truncate on ledger
    for each statement execute function refuse_change();

-- ---------------------------------------------------------------- whose it is
create table customer (
    id                uuid primary key,
    reference_digest  bytea unique,
    verified          boolean not null,
    created_at        timestamptz not null
);

create table customer_key (
    customer_id  uuid primary key references customer on delete cascade,
    master_key   text not null,
    wrapped      bytea not null,
    created_at   timestamptz not null
);

create table vault_token (
    customer_id   uuid not null references customer on delete cascade,
    kind          text not null,
    number        int not null,
    value_digest  bytea not null,
    value_sealed  bytea not null,
    created_at    timestamptz not null,
    primary key (customer_id, kind, number),
    unique (customer_id, kind, value_digest)
);

-- ---------------------------------------------------------------- what answers are made from
create table release (
    id          text primary key,
    assistant   text not null,
    number      int not null,
    manifest    jsonb not null,
    bundle      bytea not null,
    snapshot_id text not null,
    created_at  timestamptz not null,
    created_by  text not null,
    unique (assistant, number)
);
create trigger release_is_immutable before update on release
    for each statement execute function refuse_change();

create table release_artefact (
    release_id  text not null references release on delete cascade,
    name        text not null,
    digest      text not null,
    content     bytea not null,
    primary key (release_id, name)
);

create table serving (
    assistant    text primary key,
    release_id   text not null references release,
    generation   bigint not null default 1,
    changed_at   timestamptz not null
);

create table knowledge_snapshot (
    id            text primary key,
    encoder       text not null,
    dimensions    int not null,
    statistics    jsonb not null,
    created_at    timestamptz not null
);

create table knowledge_document (
    id           text primary key,
    path         text not null,
    title        text not null,
    audience     text not null check (audience in ('public', 'customer', 'agent', 'internal')),
    groups       text[] not null default '{}',
    owner        text,
    source       text,
    valid_from   date,
    valid_until  date,
    review_by    date,
    created_at   timestamptz not null
);

create table passage (
    id           text primary key,
    document_id  text not null references knowledge_document on delete cascade,
    ordinal      int not null,
    heading      text not null,
    body         text not null
);

create table passage_vector (
    passage_id  text not null references passage on delete cascade,
    encoder     text not null,
    dense       vector not null,
    primary key (passage_id, encoder)
);

create table snapshot_passage (
    snapshot_id  text not null references knowledge_snapshot on delete cascade,
    passage_id   text not null references passage,
    audience     smallint not null,
    groups       text[] not null default '{}',
    valid_from   date,
    valid_until  date,
    dense        vector not null,
    lexical      sparsevec not null,
    primary key (snapshot_id, passage_id)
)
-- Every search reads all vectors of a snapshot: kept in the row, not beside it, that takes half the time.
with (toast_tuple_target = 8160);

-- ---------------------------------------------------------------- what was said
create table conversation (
    id               uuid primary key,
    customer_id      uuid not null references customer,
    assistant        text not null,
    release_id       text not null references release,
    arm              text not null default 'baseline' check (arm in ('baseline', 'candidate', 'holdout')),
    channel          text not null,
    locale           text,
    verified         boolean not null,
    claims_sealed    bytea,
    simulated        boolean not null default false,
    state            text not null default 'open' check (state in ('open', 'closed')),
    speaker          text not null default 'assistant' check (speaker in ('assistant', 'human')),
    speaker_account  uuid references account,
    epoch            int not null default 0,
    next_seq         int not null default 1,
    turn_id          uuid,
    turn_holder      bigint,
    category         text,
    intent           text,
    asked_back       int not null default 0,
    opened_at        timestamptz not null,
    last_at          timestamptz not null,
    closed_at        timestamptz,
    closed_by        text check (closed_by in ('customer', 'staff', 'idle')),
    resolved         boolean,
    transcript       bytea
);
create index conversation_recent on conversation (last_at desc);
create index conversation_customer on conversation (customer_id, last_at desc);
create index conversation_transcript on conversation (transcript) where transcript is not null;
create index conversation_in_turn on conversation (turn_holder) where turn_holder is not null;

create table message (
    id               uuid primary key,
    conversation_id  uuid not null references conversation on delete cascade,
    seq              int not null,
    role             text not null check (role in ('customer', 'assistant', 'human', 'system')),
    turn_id          uuid,
    client_key       text,
    epoch            int not null,
    account_id       uuid references account,
    pending          boolean not null default false,
    body             bytea not null,
    events           bytea,
    at               timestamptz not null,
    unique (conversation_id, seq),
    unique (conversation_id, client_key)
);
create index message_pending on message (conversation_id, seq) where pending;
create index message_turn on message (turn_id) where turn_id is not null;

create table turn (
    id                 uuid not null,
    conversation_id    uuid not null,
    message_id         uuid not null,
    release_id         text not null,
    assistant          text not null,
    arm                text not null,
    channel            text not null,
    simulated          boolean not null,
    outcome            text not null check (outcome in ('answered', 'asked', 'acted', 'handed_over', 'refused', 'fell_back', 'silent', 'failed')),
    reason             text not null,
    intent             text,
    confidence         real,
    in_scope           real,
    out_of_scope       boolean,
    category           text,
    risk               text,
    override           boolean not null default false,
    guard_rule         text,
    guard_score        real,
    masked_count       int not null default 0,
    evidence           real,
    passages           text[] not null default '{}',
    cited              text[] not null default '{}',
    model              text,
    route              text,
    workflow           text,
    workflow_run_id    uuid,
    sentences_sent     int not null default 0,
    sentences_dropped  int not null default 0,
    resumed            boolean not null default false,
    prompt_tokens      int,
    completion_tokens  int,
    cost               numeric(14, 8),
    currency           text not null,
    receive_ms         real,
    mask_ms            real,
    understand_ms      real,
    guard_ms           real,
    retrieve_ms        real,
    generate_ms        real,
    verify_ms          real,
    act_ms             real,
    record_ms          real,
    first_token_ms     real,
    total_ms           real not null,
    decisions          bytea,
    started_at         timestamptz not null,
    finished_at        timestamptz not null,
    primary key (id)
) partition by range (id);
create table turn_default partition of turn default;
create index turn_conversation on turn (conversation_id, id);
create index turn_message on turn (message_id);
create index turn_finished on turn (finished_at);

create table feedback (
    id               uuid primary key,
    conversation_id  uuid not null references conversation on delete cascade,
    turn_id          uuid,
    csat             smallint check (csat between 1 and 5),
    thumb            text check (thumb in ('up', 'down')),
    comment_sealed   bytea,
    at               timestamptz not null
);
create index feedback_conversation on feedback (conversation_id);
create unique index feedback_one_survey on feedback (conversation_id) where csat is not null;
create unique index feedback_one_thumb on feedback (turn_id) where thumb is not null;

-- ---------------------------------------------------------------- what was done for the customer
create table workflow_run (
    id               uuid primary key,
    conversation_id  uuid not null references conversation on delete cascade,
    customer_id      uuid not null references customer,
    release_id       text not null references release,
    workflow         text not null,
    state            text not null check (state in ('offered', 'collecting', 'confirming', 'awaiting_approval', 'acting', 'done', 'failed', 'unknown', 'cancelled', 'expired', 'handed_over')),
    asking           text,
    attempts         int not null default 0,
    values_sealed    bytea not null,
    confirm_digest   bytea,
    created_at       timestamptz not null,
    updated_at       timestamptz not null
);
create unique index workflow_run_open on workflow_run (conversation_id)
    where state in ('offered', 'collecting', 'confirming', 'awaiting_approval', 'acting', 'unknown');
create index workflow_run_undecided on workflow_run (updated_at) where state in ('acting', 'unknown');

create table action (
    id               uuid primary key,
    run_id           uuid not null references workflow_run on delete cascade,
    conversation_id  uuid not null,
    turn_id          uuid,
    workflow         text not null,
    step             text not null,
    operation        text not null,
    idempotency_key  text not null unique,
    arguments_sealed bytea not null,
    arguments_digest bytea not null,
    state            text not null check (state in ('intended', 'done', 'failed', 'unknown', 'undone')),
    holder           bigint,
    attempts         int not null default 0,
    result_sealed    bytea,
    error            text,
    created_at       timestamptz not null,
    decided_at       timestamptz
);
create index action_run on action (run_id, created_at);
create index action_undecided on action (created_at) where state in ('intended', 'unknown');

create table approval (
    id           uuid primary key,
    run_id       uuid not null unique references workflow_run on delete cascade,
    role         text not null,
    summary_sealed bytea not null,
    arguments_digest bytea not null,
    state        text not null default 'waiting' check (state in ('waiting', 'approved', 'denied')),
    asked_at     timestamptz not null,
    decided_at   timestamptz,
    decided_by   uuid references account,
    reason_sealed bytea
);

-- ---------------------------------------------------------------- the desk
create table handover (
    id               uuid primary key,
    conversation_id  uuid not null references conversation on delete cascade,
    turn_id          uuid,
    queue            text not null,
    reason           text not null,
    priority         smallint not null default 0,
    asked_at         timestamptz not null,
    taken_at         timestamptz,
    taken_by         uuid references account,
    ended_at         timestamptz
);
create unique index handover_open on handover (conversation_id) where ended_at is null;
create index handover_waiting on handover (queue, priority desc, asked_at) where taken_at is null and ended_at is null;

-- ---------------------------------------------------------------- limits
create unlogged table rate_window (
    subject     bytea not null,
    started_at  timestamptz not null,
    used        int not null,
    primary key (subject)
);

-- ---------------------------------------------------------------- the contract that KPIs read
create view conversations as
select c.id, c.assistant, c.release_id, c.arm, c.channel, c.simulated, c.customer_id, c.verified,
       c.category, c.intent, c.state, c.opened_at, c.last_at, c.closed_at, c.closed_by, c.resolved,
       extract(epoch from c.closed_at - c.opened_at)::double precision as handle_s,
       exists (select 1 from handover h where h.conversation_id = c.id) as handed_over,
       (select f.csat from feedback f where f.conversation_id = c.id and f.csat is not null) as csat
from conversation c
where c.next_seq > 1; -- one in which nothing was said is a page view

create view turns as
select id, conversation_id, message_id, release_id, assistant, arm, channel, simulated, outcome, reason,
       intent, confidence, in_scope, out_of_scope, category, risk, override, guard_rule, masked_count,
       evidence, model, workflow, sentences_sent, sentences_dropped, prompt_tokens, completion_tokens,
       cost, currency, receive_ms, mask_ms, understand_ms, guard_ms, retrieve_ms, generate_ms, verify_ms,
       act_ms, record_ms, first_token_ms, total_ms, started_at, finished_at
from turn;

-- ---------------------------------------------------------------- rights of the application
grant select, insert, update, delete on
    account, console_session, api_key, signing_key, customer, customer_key, vault_token,
    release, release_artefact, serving, knowledge_snapshot, knowledge_document, passage, passage_vector,
    snapshot_passage, conversation, message, turn, feedback, workflow_run, action, approval, handover,
    rate_window
to {app_role};
grant select, insert on ledger to {app_role};
grant select on conversations, turns to {app_role};
