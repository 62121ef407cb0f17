-- Runs of evaluation cases and their results. {app_role} is replaced by the application's role.

-- A run of one release's answers to a list of cases; an unfinished one is gone on with. Where two releases
-- are compared, `side` and `against` tell their runs apart, even those of one release against itself.
create table eval_run (
    id             uuid primary key,
    assistant      text not null,
    release_id     text not null references release on delete cascade,
    side           text not null check (side in ('alone', 'baseline', 'candidate')),
    against        text references release on delete cascade,
    cases_digest   text not null,
    repeats        int not null check (repeats > 0),
    deterministic  boolean not null,
    started_at     timestamptz not null,
    finished_at    timestamptz
);
create index eval_run_recent on eval_run (assistant, started_at desc);
create index eval_run_same on eval_run (release_id, cases_digest, started_at desc);

-- One row for each case and attempt, written as soon as it ended. Texts are masked.
create table eval_result (
    run_id      uuid not null references eval_run on delete cascade,
    case_name   text not null,
    attempt     int not null,
    state       text not null check (state in ('passed', 'failed', 'not_runnable')),
    faults      text[] not null,
    texts       text[] not null,
    outcomes    text[] not null,
    latency_ms  double precision not null,
    cost        numeric,
    at          timestamptz not null,
    primary key (run_id, case_name, attempt)
);

-- What the gate answered; `answer` holds the comparison of every case.
create table eval_gate (
    id             uuid primary key,
    assistant      text not null,
    candidate      text not null references release on delete cascade,
    baseline       text not null references release on delete cascade,
    candidate_run  uuid not null references eval_run on delete cascade,
    baseline_run   uuid not null references eval_run on delete cascade,
    passed         boolean not null,
    answer         jsonb not null,
    at             timestamptz not null
);
create index eval_gate_newest on eval_gate (candidate, baseline, at desc);
create index eval_gate_recent on eval_gate (assistant, at desc);

grant select, insert, update, delete on eval_run, eval_result, eval_gate to {app_role};
