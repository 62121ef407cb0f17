-- Traffic by lanes, and rollouts. {app_role} is replaced, as plain text, by the role the application runs under.

-- ---------------------------------------------------------------- who is answered by what
-- Each assistant has a lane of real traffic and, while something is rehearsed, one of simulated traffic.
-- `split` is the running rollout's division of traffic, `holdout` the customers kept on the old way, `baseline`
-- what answers everybody else: the release (null), another bot or the desk. A roll-back
-- changes this one row; a generation is used once in a database.
create sequence traffic_generation;
alter table serving
    add column simulated boolean not null default false,
    add column split jsonb,
    add column holdout jsonb,
    add column baseline jsonb;
alter table serving drop constraint serving_pkey;
alter table serving add primary key (assistant, simulated);
select setval('traffic_generation', greatest(1, (select coalesce(max(generation), 1) from serving)));
alter table serving alter column generation set default nextval('traffic_generation');

-- Keeps turns of a lane from beginning until the transaction ends; false when one that is being taken in (their lock is
-- shared) doesn't end in time: whoever changes traffic then goes on without it.
create function lock_traffic(lane text, wait_ms int) returns boolean language plpgsql as $$
begin
    perform set_config('lock_timeout', wait_ms || 'ms', true);
    begin
        perform pg_advisory_xact_lock(hashtextextended(lane, 0));
    exception when lock_not_available then
        perform set_config('lock_timeout', '0', true);
        return false;
    end;
    perform set_config('lock_timeout', '0', true);
    return true;
end $$;

create table rollout (
    id                 uuid primary key,
    assistant          text not null,
    simulated          boolean not null default false,
    kind               text not null check (kind in ('rollout', 'experiment', 'shadow')),
    candidate_release  text not null references release,
    baseline_release   text not null references release,
    baseline_kind      text not null check (baseline_kind in ('release', 'external', 'human')),
    plan               jsonb not null,
    state              text not null check (state in
        ('waiting', 'running', 'held', 'paused', 'promoted', 'rolled_back', 'aborted', 'concluded')),
    phase              int not null default 0,
    phase_started_at   timestamptz,
    hold_reason        text,
    harmed_categories  text[] not null default '{}',
    end_reason         text,
    created_by         text not null,
    created_at         timestamptz not null,
    ended_at           timestamptz
);
create unique index rollout_open on rollout (assistant, simulated)
    where kind <> 'shadow' and state in ('waiting', 'running', 'held', 'paused');
create unique index rollout_open_shadow on rollout (assistant, simulated)
    where kind = 'shadow' and state in ('waiting', 'running', 'held', 'paused');
create index rollout_recent on rollout (assistant, created_at desc);

-- A customer's first assigned conversation in a phase: the unit that verdicts read. The *_taken columns tell which
-- measures of it have entered the running sums.
create table assignment (
    rollout_id       uuid not null references rollout on delete cascade,
    phase            int not null,
    customer_id      uuid not null references customer on delete cascade,
    conversation_id  uuid not null references conversation on delete cascade,
    arm              text not null check (arm in ('baseline', 'candidate', 'holdout')),
    category         text not null,
    at               timestamptz not null,
    closed_taken     timestamptz,
    survey_taken     timestamptz,
    recontact_taken  timestamptz,
    primary key (rollout_id, phase, customer_id)
);
create index assignment_open on assignment (rollout_id, phase, at) where closed_taken is null;
create index assignment_survey on assignment (rollout_id, phase, at) where survey_taken is null;
create index assignment_recontact on assignment (rollout_id, phase, at) where recontact_taken is null;
create index assignment_conversation on assignment (conversation_id);

-- Running sums of units: y and d are numerator and denominator of a ratio per unit.
create table rollout_sum (
    rollout_id  uuid not null references rollout on delete cascade,
    phase       int not null,
    kpi         text not null,
    category    text not null,
    arm         text not null,
    n           bigint not null,
    y           double precision not null,
    d           double precision not null,
    yy          double precision not null,
    dd          double precision not null,
    yd          double precision not null,
    last_at     timestamptz not null,
    primary key (rollout_id, phase, kpi, category, arm)
);

-- What a look at the sums showed; kept for charts. Category '' means all of them.
create table rollout_look (
    rollout_id  uuid not null references rollout on delete cascade,
    phase       int not null,
    at          timestamptz not null,
    kpi         text not null,
    category    text not null default '',
    verdict     text not null check (verdict in ('harmful', 'safe', 'unknown', 'no_data')),
    baseline    double precision,
    candidate   double precision,
    harm        double precision,
    low         double precision,
    high        double precision,
    margin      double precision not null,
    n_baseline  bigint not null,
    n_candidate bigint not null,
    needed      bigint,
    primary key (rollout_id, phase, kpi, category, at)
);

-- The timeline of a rollout. What stands in `evidence` is what the ledger's entry holds as well.
create table rollout_event (
    id               uuid primary key,
    rollout_id       uuid not null references rollout on delete cascade,
    at               timestamptz not null,
    kind             text not null,
    phase            int not null,
    actor            text not null,
    reason           text not null,
    evidence         jsonb not null default '{}',
    ledger_position  bigint
);
create index rollout_event_of on rollout_event (rollout_id, at);

create table rollout_approval (
    rollout_id  uuid not null references rollout on delete cascade,
    phase       int not null,
    role        text not null,
    state       text not null check (state in ('waiting', 'approved', 'denied')),
    asked_at    timestamptz not null,
    decided_at  timestamptz,
    decided_by  text,
    reason      text,
    primary key (rollout_id, phase)
);

-- ---------------------------------------------------------------- which arm a conversation belongs to
-- `arm` never changes once assigned (analysis is by intention to treat); `release_id` is what answers now.
-- `counted` marks a customer's first assigned conversation in a phase; a `pinned` one stays on its release.
alter table conversation
    add column rollout_id uuid references rollout,
    add column phase int,
    add column assigned_at timestamptz,
    add column assigned_category text,
    add column counted boolean not null default false,
    add column pinned boolean not null default false,
    add column moved_at timestamptz,
    add column moved_because text;
create index conversation_rollout on conversation (rollout_id, phase, assigned_at) where rollout_id is not null;
create index conversation_rollout_closed on conversation (rollout_id, closed_at) where rollout_id is not null;

alter table turn add column rollout_id uuid;
create index turn_rollout on turn (rollout_id, arm, id) where rollout_id is not null;

grant usage on sequence traffic_generation to {app_role};
grant select, insert, update, delete on
    rollout, assignment, rollout_sum, rollout_look, rollout_event, rollout_approval
to {app_role};
