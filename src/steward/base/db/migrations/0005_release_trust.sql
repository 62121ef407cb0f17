-- Signatures, trusted keys and labels of releases. {app_role} is replaced, as plain text, by the role the application runs under.

-- Ed25519 over the release's id, by this installation's key or by that of the one a release came from.
create table release_signature (
    release_id  text not null references release on delete cascade,
    key_id      text not null,
    public_key  bytea not null,
    signature   bytea not null,
    at          timestamptz not null,
    primary key (release_id, key_id)
);

-- Keys of other installations whose releases may be imported.
create table trusted_release_key (
    key_id      text primary key,
    name        text not null unique,
    public_key  bytea not null,
    added_at    timestamptz not null,
    added_by    text not null
);

-- Names that people give to releases; a name means one release of an assistant at a time.
create table release_label (
    assistant   text not null,
    name        text not null,
    release_id  text not null references release,
    at          timestamptz not null,
    by          text not null,
    primary key (assistant, name)
);
create index release_label_of on release_label (release_id);

-- Deleting passages and documents that no snapshot holds would read these tables whole for each of them.
create index snapshot_passage_passage on snapshot_passage (passage_id);
create index passage_document on passage (document_id);

grant select, insert, update, delete on release_signature, trusted_release_key, release_label to {app_role};
