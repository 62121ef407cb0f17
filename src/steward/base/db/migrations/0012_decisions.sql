-- Why a turn answered, asked or handed over.
-- {app_role} is replaced, as plain text, by the role the application runs under.

-- What expected costs and the release's bounds chose; null where a turn ended before that. The options that weren't
-- taken, with their costs, are in `decisions`, sealed.
alter table turn
    add column decision       text check (decision in ('answer', 'offer', 'ask', 'hand_over', 'refuse')),
    add column expected_cost  double precision,
    add column answerable     double precision;

-- Whether the guard was right to stop a message, or to let it pass.
alter table review add column guard_right boolean;
create index turn_guard_rule on turn (guard_rule, started_at) where guard_rule is not null;
