-- Applications, payments, requests for documents. Times are Unix milliseconds UTC; sealed columns are
-- AES-256-GCM under a key of the row. Access codes are derived from the master key and stored nowhere.

-- The definition under which applications were filed, once for each text.
create table service_definition (
    hash text primary key,
    service_id text not null,
    version bigint not null,
    definition text not null,
    created_at bigint not null
);

-- due_at has a far day where nothing is promised, so that it sorts alike in both databases.
create table application (
    id text primary key,
    number text not null,
    draft_id text not null,
    service_id text not null,
    definition_hash text not null,
    person_id text,
    conversation_id text not null,
    trust bigint not null,
    language text not null,
    state text not null,
    state_since bigint not null,
    submitted_at bigint not null,
    due_at bigint not null,
    assigned_staff_id text,
    later_documents text not null,
    key_wrapped bytea,
    answers_sealed bytea,
    version bigint not null,
    updated_at bigint not null
);
create unique index application_number on application (number);
create unique index application_draft on application (draft_id);
create index application_due on application (due_at, id);
create index application_state on application (state, due_at, id);
create index application_assigned on application (assigned_staff_id, due_at, id);
create index application_service on application (service_id, due_at, id);
create index application_person on application (person_id, submitted_at);
create index application_conversation on application (conversation_id, submitted_at);

-- How many applications are in each state; kept with every edge.
create table application_count (
    state text primary key,
    number bigint not null
);

-- Tries to open a case by number and code, also for numbers that do not exist.
create table access_try (
    number_hash text primary key,
    tries bigint not null,
    locked_until bigint,
    updated_at bigint not null
);
create index access_try_updated on access_try (updated_at);

-- void_at: since when the money is no longer owed (withdrawn, waived); money that comes later is given back.
create table payment (
    id text primary key,
    application_id text not null,
    provider text not null,
    amount_cents bigint not null,
    purpose text not null,
    items text not null,
    state text not null,
    request_id text,
    provider_reference text,
    paid_request_id text,
    paid_at bigint,
    void_at bigint,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index payment_application on payment (application_id, created_at, id);
create index payment_state on payment (state, updated_at);

-- Every request to a provider, kept for ever: a late success of an old one is still found.
-- watch_until: until when the provider is asked again.
create table payment_attempt (
    request_id text primary key,
    payment_id text not null,
    outcome text not null,
    watch_until bigint not null,
    checked_at bigint not null,
    created_at bigint not null
);
create index payment_attempt_payment on payment_attempt (payment_id, created_at);
create index payment_attempt_watch on payment_attempt (watch_until, checked_at);
create index payment_attempt_outcome on payment_attempt (outcome, created_at);

create table payment_effect (
    payment_id text not null,
    effect text not null,
    created_at bigint not null,
    primary key (payment_id, effect)
);

-- The made-up bank.
create table demo_order (
    reference text primary key,
    request_id text not null,
    amount_cents bigint not null,
    purpose text not null,
    return_path text not null,
    state text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index demo_order_request on demo_order (request_id);

create table document_request (
    id text primary key,
    application_id text not null,
    state text not null,
    deadline bigint not null,
    sent_by text not null,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index document_request_application on document_request (application_id, created_at);
create index document_request_deadline on document_request (state, deadline);

create table document_request_item (
    id text primary key,
    request_id text not null,
    position bigint not null,
    item_id text,
    state text not null,
    document_id text,
    key_wrapped bytea,
    text_sealed bytea,
    version bigint not null,
    updated_at bigint not null
);
create index document_request_item_request on document_request_item (request_id, position);

-- Reminders are planned when the request is sent; sent_at makes each of them happen once.
create table document_request_reminder (
    request_id text not null,
    deadline bigint not null,
    days_before bigint not null,
    due_at bigint not null,
    sent_at bigint,
    primary key (request_id, deadline, days_before)
);
create index document_request_reminder_due on document_request_reminder (sent_at, due_at);
