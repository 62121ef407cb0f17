-- Who agreed to a release. {app_role} is replaced, as plain text, by the role the application runs under.

create table release_approval (
    id            uuid primary key,
    release_id    text not null references release on delete cascade,
    role          text not null,
    actor         text not null,
    reason        text not null,
    at            timestamptz not null,
    withdrawn_at  timestamptz,
    withdrawn_by  text
);
create unique index release_approval_stands on release_approval (release_id, role) where withdrawn_at is null;

grant select, insert, update, delete on release_approval to {app_role};
