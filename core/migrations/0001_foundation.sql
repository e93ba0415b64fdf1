-- Conversations, messages, audit. Times are Unix milliseconds UTC; sealed columns are AES-256-GCM.
create table conversation (
    id text primary key,
    channel text not null,
    address text,
    person_id text,
    owner text not null,
    owner_staff_id text,
    queued_at bigint,
    language text not null,
    key_wrapped bytea,
    state_sealed bytea,
    trust bigint not null,
    next_seq bigint not null,
    version bigint not null,
    test bigint not null default 0,
    created_at bigint not null,
    updated_at bigint not null
);
create index conversation_owner on conversation (owner, queued_at);
create index conversation_person on conversation (person_id, updated_at);
create unique index conversation_address on conversation (channel, address);
create index conversation_updated on conversation (updated_at);

create table message (
    id text primary key,
    conversation_id text not null,
    seq bigint not null,
    author text not null,
    staff_id text,
    external_id text,
    trust bigint not null,
    body_sealed bytea not null,
    created_at bigint not null
);
create unique index message_seq on message (conversation_id, seq);
create unique index message_external on message (conversation_id, external_id);

create table draft (
    id text primary key,
    conversation_id text not null,
    code_hash text not null,
    detail_hash text not null,
    service_id text not null,
    key_wrapped bytea,
    body_sealed bytea not null,
    trust bigint not null,
    tries bigint not null,
    expires_at bigint not null,
    created_at bigint not null
);
create unique index draft_code on draft (code_hash);
create index draft_expires on draft (expires_at);

create table audit (
    chain text not null,
    seq bigint not null,
    at bigint not null,
    actor_kind text not null,
    actor_id text not null,
    action text not null,
    subject_kind text not null,
    subject_id text not null,
    details text not null,
    previous_hash text not null,
    hash text not null,
    primary key (chain, seq)
);
create index audit_subject on audit (subject_kind, subject_id, at);

create table person (
    id text primary key,
    provider text not null,
    subject_hash text not null,
    key_wrapped bytea,
    profile_sealed bytea,
    easy_language bigint not null,
    created_at bigint not null,
    last_login_at bigint not null
);
create unique index person_subject on person (provider, subject_hash);

create table session (
    token_hash text primary key,
    kind text not null,
    person_id text,
    staff_id text,
    conversation_id text,
    trust bigint not null,
    csrf text not null,
    step_up_at bigint,
    created_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null
);
create index session_expires on session (expires_at);
create index session_staff on session (staff_id);
