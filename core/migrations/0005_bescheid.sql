-- Papers (Bescheid, certificate, extract, confirmation), their approvals and what happened to them.
create table paper (
    id text primary key,
    application_id text not null,
    state text not null,
    key_wrapped bytea not null,
    content_sealed bytea not null,
    accessible_document text,
    archive_document text,
    accessible_sha256 text,
    archive_sha256 text,
    drafted_by text not null,
    read_trust bigint not null,
    issued_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null
);
create index paper_application on paper (application_id, created_at);

create table paper_approval (
    paper_id text not null,
    step bigint not null,
    staff_id text not null,
    role text not null,
    accessible_sha256 text not null,
    archive_sha256 text not null,
    at bigint not null,
    primary key (paper_id, step)
);

create table delivery_event (
    id text primary key,
    paper_id text not null,
    kind text not null,
    trust bigint not null,
    at bigint not null
);
create index delivery_event_paper on delivery_event (paper_id, at);

create table outbox (
    id text primary key,
    unique_key text not null,
    channel text not null,
    key_wrapped bytea not null,
    body_sealed bytea not null,
    state text not null,
    attempts bigint not null,
    due_at bigint not null,
    claimed_until bigint,
    reference text,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index outbox_unique on outbox (unique_key);
create index outbox_due on outbox (state, due_at);

create table job (
    name text primary key,
    due_at bigint not null,
    claimed_until bigint,
    last_error text,
    updated_at bigint not null
);

create table note (
    id text primary key,
    application_id text not null,
    staff_id text not null,
    key_wrapped bytea not null,
    text_sealed bytea not null,
    created_at bigint not null
);
create index note_application on note (application_id, created_at);
