-- Turns that a candidate answered in the shadow: what it did beside what the customer got. No words are kept.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- A row is claimed before its turn is replayed and filled in once. A claim whose process died is taken over later.
create table shadow_turn (
    rollout_id         uuid not null references rollout on delete cascade,
    turn_id            uuid not null,
    state              text not null check (state in ('begun', 'compared', 'failed')),
    begun_at           timestamptz not null,
    at                 timestamptz,
    failure            text,
    category           text,
    currency           text not null,
    baseline_outcome   text not null,
    candidate_outcome  text,
    baseline_intent    text,
    candidate_intent   text,
    same_sources       boolean,
    same               boolean,
    baseline_sent      int not null,
    candidate_sent     int,
    baseline_dropped   int not null,
    candidate_dropped  int,
    baseline_cost      numeric(14, 8),
    candidate_cost     numeric(14, 8),
    baseline_ms        real not null,
    candidate_ms       real,
    primary key (rollout_id, turn_id)
);

grant select, insert, update, delete on shadow_turn to {app_role};
