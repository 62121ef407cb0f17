"""SQL over eval_run, eval_result and eval_gate."""

from __future__ import annotations

from typing import Final

INSERT_RUN: Final = """
    insert into eval_run (id, assistant, release_id, side, against, cases_digest, repeats, deterministic,
                          started_at)
    values (%(id)s, %(assistant)s, %(release_id)s, %(side)s, %(against)s, %(cases_digest)s, %(repeats)s,
            %(deterministic)s, %(at)s)"""
UNFINISHED: Final = """
    select id, started_at from eval_run
    where release_id = %(release_id)s and side = %(side)s and against is not distinct from %(against)s
      and cases_digest = %(cases_digest)s and repeats = %(repeats)s and deterministic = %(deterministic)s
      and finished_at is null and started_at > %(since)s
    order by started_at desc limit 1"""
FINISH_RUN: Final = "update eval_run set finished_at = coalesce(finished_at, %s) where id = %s"
PUT_RESULT: Final = """
    insert into eval_result (run_id, case_name, attempt, state, faults, texts, outcomes, latency_ms, cost, at)
    values (%(run_id)s, %(case)s, %(attempt)s, %(state)s, %(faults)s::text[], %(texts)s::text[],
            %(outcomes)s::text[], %(latency_ms)s, %(cost)s, %(at)s)
    on conflict (run_id, case_name, attempt) do nothing"""
RESULTS: Final = """
    select case_name, attempt, state, faults, texts, outcomes, latency_ms, cost
    from eval_result where run_id = %s order by case_name, attempt"""
RUN: Final = """
    select id, release_id, cases_digest, repeats, deterministic, started_at, finished_at
    from eval_run where id = %s"""
PUT_GATE: Final = """
    insert into eval_gate (id, assistant, candidate, baseline, candidate_run, baseline_run, passed, answer,
                           at)
    values (%(id)s, %(assistant)s, %(candidate)s, %(baseline)s, %(candidate_run)s, %(baseline_run)s,
            %(passed)s, %(answer)s::jsonb, %(at)s)"""
GATE: Final = """
    select answer from eval_gate where candidate = %(candidate)s and baseline = %(baseline)s
    order by at desc limit 1"""
RECENT_GATES: Final = """
    select answer from eval_gate where %(assistant)s::text is null or assistant = %(assistant)s
    order by at desc limit %(limit)s"""
