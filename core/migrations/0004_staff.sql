-- Members of staff and the links by which they get or renew their account.
create table staff (
    id text primary key,
    name text not null,
    display_name text not null,
    password_hash text not null,
    totp_sealed bytea not null,
    totp_last_step bigint not null,
    key_wrapped bytea not null,
    roles text not null,
    failed bigint not null,
    locked_until bigint,
    active bigint not null,
    created_at bigint not null,
    version bigint not null
);
create unique index staff_name on staff (name);

-- created_by is null for the link of the first start; staff_id is set if the link renews an account.
create table staff_invite (
    token_hash text primary key,
    staff_id text,
    roles text not null,
    created_by text,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index staff_invite_expires on staff_invite (expires_at);
create index staff_invite_staff on staff_invite (staff_id);

create index session_person on session (person_id);
