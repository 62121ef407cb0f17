-- The columns that KPIs read, reviews, and hourly roll-ups. {app_role} is replaced, as plain text, by the role
-- the application runs under.

-- ---------------------------------------------------------------- what people said about turns
create table review (
    id               uuid primary key,
    turn_id          uuid not null,
    conversation_id  uuid not null references conversation on delete cascade,
    reviewer         uuid not null references account,
    intent_right     boolean,
    misrouted        boolean,
    grounded         boolean,
    weight           double precision not null default 1 check (weight > 0),
    at               timestamptz not null,
    unique (turn_id, reviewer)
);
create index review_conversation on review (conversation_id);
create index review_at on review (at);

-- ---------------------------------------------------------------- the contract that KPIs read
-- Every column is described in docs/reference/kpis.md. Durations are in seconds or milliseconds, so that no engine
-- has to subtract times. What is joined gives one row always, so that PostgreSQL leaves out what nobody asks for.
drop view conversations;
drop view turns;

create view conversations as
select c.id, c.assistant, c.release_id, c.arm, c.channel, c.simulated, c.customer_id, c.verified,
       c.category, c.intent, c.state, c.opened_at, c.last_at, c.closed_at, c.closed_by, c.resolved,
       coalesce(c.closed_at, c.last_at) as ended_at,
       c.rollout_id, c.phase, c.counted, c.assigned_at, c.assigned_category,
       extract(epoch from coalesce(c.closed_at, c.last_at) - c.opened_at)::double precision as handle_s,
       exists (select 1 from handover h where h.conversation_id = c.id) as handed_over,
       (select f.csat from feedback f where f.conversation_id = c.id and f.csat is not null) as csat,
       exists (select 1 from feedback f
               where f.conversation_id = c.id and (f.csat <= 2 or f.thumb = 'down')) as complained,
       (select t.outcome from turn t where t.conversation_id = c.id and t.outcome <> 'silent'
        order by t.id desc limit 1) as last_outcome,
       exists (select 1 from turn t where t.conversation_id = c.id and t.guard_rule = 'loop') as looped,
       (select count(*) from turn t where t.conversation_id = c.id) as turns,
       (select sum(t.cost) from turn t where t.conversation_id = c.id) as cost,
       (select sum(extract(epoch from coalesce(h.ended_at, c.closed_at, c.last_at) - h.taken_at))::double precision
        from handover h where h.conversation_id = c.id and h.taken_at is not null) as human_s,
       asked.at as asked_human_at,
       case when asked.at is null then told.at else helped.at end as first_useful_at,
       extract(epoch from case when asked.at is null then told.at - begun.at else helped.at - asked.at end)
           ::double precision as wait_s,
       contact.recontact_at,
       extract(epoch from contact.recontact_at - coalesce(c.closed_at, c.last_at))::double precision
           as recontact_after_s,
       (select extract(epoch from c.opened_at - max(coalesce(p.closed_at, p.last_at)))::double precision
        from conversation p
        where p.customer_id = c.customer_id and p.intent = c.intent and p.simulated = c.simulated
              and p.next_seq > 1 and (p.opened_at, p.id) < (c.opened_at, c.id)) as follows_after_s
from conversation c
left join lateral (select min(h.asked_at) as at from handover h where h.conversation_id = c.id) asked on true
left join lateral (select min(m.at) as at from message m
                   where m.conversation_id = c.id and m.role = 'human' and m.at >= asked.at) helped on true
left join lateral (select min(t.started_at) as at from turn t where t.conversation_id = c.id) begun on true
left join lateral (select min(t.finished_at) as at from turn t
                   where t.conversation_id = c.id and t.outcome in ('answered', 'acted')) told on true
left join lateral (select min(n.opened_at) as recontact_at from conversation n
                   where n.customer_id = c.customer_id and n.intent = c.intent and n.simulated = c.simulated
                         and n.next_seq > 1 and (n.opened_at, n.id) > (c.opened_at, c.id)) contact on true
where c.next_seq > 1; -- one in which nothing was said is a page view

create view turns as
select t.id, t.conversation_id, t.message_id, t.release_id, t.assistant, t.arm, t.channel, t.simulated,
       t.outcome, t.reason, t.intent, t.confidence, t.in_scope, t.out_of_scope, t.category, t.risk,
       t.override, t.guard_rule, t.guard_score, t.masked_count, t.evidence, t.model, t.route, t.workflow,
       t.sentences_sent, t.sentences_dropped, t.resumed, t.prompt_tokens, t.completion_tokens, t.cost,
       t.currency, t.receive_ms, t.mask_ms, t.understand_ms, t.guard_ms, t.retrieve_ms, t.generate_ms,
       t.verify_ms, t.act_ms, t.record_ms, t.first_token_ms, t.total_ms, t.started_at, t.finished_at,
       t.rollout_id,
       (select f.thumb from feedback f where f.turn_id = t.id and f.thumb is not null) as thumb,
       said.intent_right as review_intent_right, said.misrouted as review_misrouted,
       said.grounded as review_grounded, said.weight as review_weight
from turn t
left join lateral (
    -- Of several reviews the latest stands.
    select (array_agg(r.intent_right order by r.at desc, r.id desc))[1] as intent_right,
           (array_agg(r.misrouted order by r.at desc, r.id desc))[1] as misrouted,
           (array_agg(r.grounded order by r.at desc, r.id desc))[1] as grounded,
           (array_agg(r.weight order by r.at desc, r.id desc))[1] as weight
    from review r where r.turn_id = t.id) said on true;

-- ---------------------------------------------------------------- hourly roll-ups
-- Sums of a KPI's units in one hour and cell. A ratio's unit is a conversation (in an hour, for what turns are asked);
-- a quantile's is a turn, counted in log-spaced buckets that can be added: pairs of int2 bucket and int4 count, one
-- after the other. What isn't mature is kept apart. A cell of '*' is a whole lane.
create table kpi_cell (
    id          int primary key generated always as identity,
    assistant   text not null,
    simulated   boolean not null,
    release_id  text not null,
    arm         text not null,
    category    text not null,
    channel     text not null,
    unique (assistant, simulated, release_id, arm, category, channel)
);

create table kpi_hour (
    hour        timestamptz not null,
    n           bigint not null,
    y           double precision not null default 0,
    d           double precision not null default 0,
    yy          double precision not null default 0,
    dd          double precision not null default 0,
    yd          double precision not null default 0,
    cell        int not null references kpi_cell,
    mature      boolean not null,
    kpi         text not null,
    sketch      bytea,
    primary key (kpi, hour, cell, mature)
);
create index kpi_hour_anew on kpi_hour (hour);

-- When an hour was rolled up, and when the next of its conversations becomes final.
create table kpi_hour_state (
    assistant   text not null,
    hour        timestamptz not null,
    rolled_at   timestamptz not null,
    matures_at  timestamptz,
    primary key (assistant, hour)
);
create index kpi_hour_state_due on kpi_hour_state (assistant, matures_at) where matures_at is not null;

-- How far an assistant's roll-ups go, and how long the last round took.
create table kpi_rolled (
    assistant   text primary key,
    up_to       timestamptz not null,
    took_s      double precision not null
);

-- How much returning customers widen a KPI's interval (Kish's design effect), from the last weeks.
create table kpi_design (
    assistant   text not null,
    simulated   boolean not null,
    kpi         text not null,
    effect      double precision not null,
    customers   bigint not null,
    at          timestamptz not null,
    primary key (assistant, simulated, kpi)
);

create index conversation_opened on conversation (opened_at);
create index conversation_closed on conversation (closed_at) where closed_at is not null;
create index turn_started on turn (started_at);
create index feedback_at on feedback (at);
create index feedback_turn on feedback (turn_id) where turn_id is not null;
create index handover_changed on handover (greatest(asked_at, taken_at, ended_at));
create index handover_conversation on handover (conversation_id);

-- ---------------------------------------------------------------- rights of the application
grant select, insert, update, delete on review, kpi_cell, kpi_hour, kpi_hour_state, kpi_rolled, kpi_design to {app_role};
grant select on conversations, turns to {app_role};
