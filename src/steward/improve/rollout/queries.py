"""SQL of rollouts, and rows read into what others see."""

from __future__ import annotations

from typing import Final

from steward.base.db.contracts import Row
from steward.improve.rollout import plan
from steward.improve.rollout.contracts import (
    Finding,
    LookPoint,
    PhaseApproval,
    Rollout,
    RolloutEvent,
    RolloutId,
    RolloutKind,
    RolloutState,
    TriggerVerdict,
)
from steward.supply.releases.assignment import BaselineKind
from steward.supply.releases.contracts import ReleaseId

_COLUMNS: Final = """id, assistant, simulated, kind, candidate_release, baseline_release, baseline_kind, plan,
    state, phase, phase_started_at, hold_reason, harmed_categories, end_reason, created_by, created_at,
    ended_at"""

BY_ID: Final = f"select {_COLUMNS} from rollout where id = %(id)s"

# A process that stands still in the middle of a decision must not keep others from making it.
LET_GO_WHEN_STILL: Final = "select set_config('idle_in_transaction_session_timeout', '5000', true)"

# Turns that are being assigned hold a key lock on the row, which this doesn't wait for.
LOCK: Final = f"select {_COLUMNS} from rollout where id = %(id)s for no key update"

RECENT: Final = f"""
select {_COLUMNS} from rollout
where (%(assistant)s::text is null or assistant = %(assistant)s)
  and (%(simulated)s::boolean is null or simulated = %(simulated)s)
order by created_at desc, id desc limit %(limit)s
"""

OPEN: Final = f"""
select {_COLUMNS} from rollout
where state in ('waiting', 'running', 'held', 'paused')
  and (%(assistant)s::text is null or assistant = %(assistant)s)
order by created_at
"""

LATEST_OF: Final = """
select state from rollout
where assistant = %(assistant)s and candidate_release = %(candidate)s and kind = 'rollout' and not simulated
  and not exists (select from serving s where s.assistant = rollout.assistant and not s.simulated
                  and s.release_id = %(candidate)s)
order by created_at desc, id desc limit 1
"""

INSERT: Final = """
insert into rollout (id, assistant, simulated, kind, candidate_release, baseline_release, baseline_kind, plan,
    state, phase, created_by, created_at)
values (%(id)s, %(assistant)s, %(simulated)s, %(kind)s, %(candidate)s, %(baseline)s, %(baseline_kind)s,
    %(plan)s, 'waiting', 0, %(by)s, %(at)s)
"""

UPDATE: Final = """
update rollout
set state = %(state)s, phase = %(phase)s, phase_started_at = %(phase_started_at)s,
    hold_reason = %(hold_reason)s, harmed_categories = %(harmed)s, end_reason = %(end_reason)s,
    ended_at = %(ended_at)s
where id = %(id)s
"""

PUT_EVENT: Final = """
insert into rollout_event (id, rollout_id, at, kind, phase, actor, reason, evidence, ledger_entry)
values (%(id)s, %(rollout)s, %(at)s, %(kind)s, %(phase)s, %(actor)s, %(reason)s, %(evidence)s, %(entry)s)
"""

EVENTS: Final = """
select event.at, event.kind, event.phase, event.actor, event.reason, event.evidence, link.position,
       event.ledger_entry
from rollout_event event left join ledger_link link on link.entry = event.ledger_entry
where event.rollout_id = %(id)s order by event.at, event.id
"""

NEWEST_EVENT: Final = """
select kind, reason from rollout_event where rollout_id = %(id)s order by at desc, id desc limit 1
"""

ASK_APPROVAL: Final = """
insert into rollout_approval (rollout_id, phase, role, state, asked_at)
values (%(id)s, %(phase)s, %(role)s, 'waiting', %(at)s)
on conflict (rollout_id, phase) do update
set state = 'waiting', asked_at = excluded.asked_at, decided_at = null, decided_by = null, reason = null
where rollout_approval.state = 'denied'
"""

DECIDE_APPROVAL: Final = """
update rollout_approval
set state = %(state)s, decided_at = %(at)s, decided_by = %(by)s, reason = %(reason)s
where rollout_id = %(id)s and phase = %(phase)s and state = 'waiting'
"""

APPROVALS: Final = """
select phase, role, state, asked_at, decided_at, decided_by, reason
from rollout_approval where rollout_id = %(id)s order by phase
"""

SUMS: Final = """
select phase, kpi, category, arm, n, y, d, yy, dd, yd, last_at
from rollout_sum where rollout_id = %(id)s and arm <> 'holdout' order by phase, kpi, category, arm
"""

ASSIGNED: Final = """
select arm, count(*) from assignment
where rollout_id = %(id)s and phase = %(phase)s and arm <> 'holdout' group by arm
"""

# The candidate's latest turns that were its own: not those in which a human spoke, nor of a category it lost.
LATEST_TURNS: Final = """
select t.id, t.finished_at,
       t.outcome = 'failed' or t.reason in ('nothing_verified', 'answer_cut_off', 'internal_error')
       or coalesce(t.route, '') = 'verification failed',
       t.reason in ('guard_fault', 'ledger_fault')
from turn t join conversation c on c.id = t.conversation_id
where t.rollout_id = %(id)s and t.release_id = %(candidate)s and t.arm = 'candidate' and t.outcome <> 'silent'
  and c.assigned_category <> all(%(harmed)s)
order by t.id desc limit %(limit)s
"""

# How many conversations of an arm have become final, all in all and since a measure of it last arrived.
SINCE: Final = """
select w.kpi, w.arm, count(m.at), count(m.at) filter (where w.since is null or m.at > w.since)
from unnest(%(kpis)s::text[], %(arms)s::text[], %(classes)s::text[], %(since)s::timestamptz[])
     as w (kpi, arm, class, since)
join assignment a on a.rollout_id = %(id)s and a.phase = %(phase)s and a.arm = w.arm
cross join lateral (
    select case w.class when 'survey' then a.survey_taken when 'recontact' then a.recontact_taken
           else a.closed_taken end) m (at)
group by w.kpi, w.arm
"""

PUT_LOOK: Final = """
insert into rollout_look (rollout_id, phase, at, kpi, category, verdict, baseline, candidate, harm, low, high,
    margin, n_baseline, n_candidate, needed)
values (%(id)s, %(phase)s, %(at)s, %(kpi)s, %(category)s, %(verdict)s, %(baseline)s, %(candidate)s, %(harm)s,
    %(low)s, %(high)s, %(margin)s, %(n_baseline)s, %(n_candidate)s, %(needed)s)
on conflict do nothing
"""

# Drops every second point between changes of the verdict where there are too many.
THIN_LOOKS: Final = """
with numbered as (
    select kpi, category, at, verdict,
           row_number() over line as place, count(*) over (partition by kpi, category) as points,
           lag(verdict) over line as before, lead(verdict) over line as after
    from rollout_look where rollout_id = %(id)s and phase = %(phase)s
    window line as (partition by kpi, category order by at))
delete from rollout_look l using numbered p
where l.rollout_id = %(id)s and l.phase = %(phase)s and l.kpi = p.kpi and l.category = p.category
  and l.at = p.at and p.points > %(most)s and p.place %% 2 = 0
  and p.before = p.verdict and p.after = p.verdict
"""

LOOKS: Final = """
select at, phase, kpi, category, verdict, margin, baseline, candidate, harm, low, high, n_baseline,
       n_candidate, needed
from rollout_look
where rollout_id = %(id)s and (%(category)s::text is null or category = %(category)s)
order by at, phase, kpi, category
"""

ARMS: Final = """
with customers as (
    select arm, phase, count(*) as customers, count(closed_taken) as ended
    from assignment where rollout_id = %(id)s group by arm, phase),
conversations as (
    select c.arm, c.phase, count(*) as conversations
    from conversation c where c.rollout_id = %(id)s group by c.arm, c.phase),
turns as (
    select t.arm, c.phase, count(*) as turns, coalesce(sum(t.cost), 0)::double precision as cost,
           percentile_cont(0.5) within group (order by t.total_ms) as p50,
           percentile_cont(0.95) within group (order by t.total_ms) as p95
    from turn t join conversation c on c.id = t.conversation_id
    where t.rollout_id = %(id)s and t.outcome <> 'silent' group by t.arm, c.phase)
select v.arm, v.phase, coalesce(u.customers, 0), coalesce(u.ended, 0), v.conversations,
       coalesce(t.turns, 0), coalesce(t.cost, 0), t.p50, t.p95
from conversations v
left join customers u using (arm, phase) left join turns t using (arm, phase)
order by v.phase, v.arm
"""

MET: Final = """
select count(distinct customer_id) from assignment where rollout_id = %(id)s and arm = 'candidate'
"""

NUMBERS: Final = "select id, number from release where id = any(%(ids)s)"


def rollout_of(row: Row) -> Rollout:
    """Build a rollout from a row of its columns."""
    return Rollout(
        id=RolloutId(row[0]),
        assistant=row[1],
        simulated=row[2],
        kind=RolloutKind(row[3]),
        candidate=ReleaseId(row[4]),
        baseline=ReleaseId(row[5]),
        baseline_kind=BaselineKind(row[6]),
        plan=plan.from_json(row[7]),
        state=RolloutState(row[8]),
        phase=row[9],
        phase_started_at=row[10],
        hold_reason=row[11],
        harmed_categories=tuple(row[12]),
        end_reason=row[13],
        created_by=row[14],
        created_at=row[15],
        ended_at=row[16],
    )


def event_of(row: Row) -> RolloutEvent:
    """Build an event from its row."""
    return RolloutEvent(*row)


def approval_of(row: Row) -> PhaseApproval:
    """Build an approval from its row."""
    return PhaseApproval(*row)


def point_of(row: Row) -> LookPoint:
    """Build a chart's point from its row."""
    at, phase, kpi, category, verdict, *numbers = row
    return LookPoint(at, phase, TriggerVerdict(kpi, category, Finding(verdict), *numbers))
