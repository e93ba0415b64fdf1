-- Documents: what citizens upload and what the office makes. The bytes are in the file store, sealed with the
-- row's key; key_wrapped is null once the document was removed, and then nobody can read it any more.
create table document (
    id text primary key,
    kind text not null,
    conversation_id text,
    application_id text,
    item text not null,
    name_sealed bytea not null,
    format text not null,
    size_bytes bigint not null,
    sha256 text not null,
    key_wrapped bytea,
    trust bigint not null,
    removed_at bigint,
    created_at bigint not null
);
create index document_application on document (application_id, created_at);
create index document_conversation on document (conversation_id, created_at);
