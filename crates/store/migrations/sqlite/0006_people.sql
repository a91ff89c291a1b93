-- People: scopes and the service role of tokens; accounts with passwords, for hubs without a provider;
-- sessions of the console; tokens of a provider that are denied before their time; what an org's
-- administrators may set. Keep the twin of this file under the other engine's folder in step.

create table tokens_next (
    id           text   not null,
    org          text   not null references orgs (id),
    name         text   not null,
    role         text   not null,
    scopes       text,
    secret_hash  bytea  not null,
    created_by   text   not null,
    created_at   bigint not null,
    expires_at   bigint,
    revoked_at   bigint,
    last_used_at bigint,
    constraint tokens_pkey primary key (id),
    constraint tokens_role check (role = 'viewer' or role = 'operator' or role = 'admin' or role = 'service')
) without rowid;
insert into tokens_next
    (id, org, name, role, scopes, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at)
    select id, org, name, role, null, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at
    from tokens;
drop table tokens;
alter table tokens_next rename to tokens;
create index tokens_of_org on tokens (org, id);

create table accounts (
    id            text   not null,
    org           text   not null references orgs (id),
    name          text   not null,
    role          text   not null,
    password_hash text   not null,
    created_by    text   not null,
    created_at    bigint not null,
    disabled_at   bigint,
    signed_in_at  bigint,
    constraint accounts_pkey primary key (id),
    constraint accounts_name unique (name),
    constraint accounts_role check (role = 'viewer' or role = 'operator' or role = 'admin')
) without rowid;
create index accounts_of_org on accounts (org, id);

create table sessions (
    id            text   not null,
    org           text   not null references orgs (id),
    subject       text   not null,
    name          text   not null,
    role          text   not null,
    secret_hash   bytea  not null,
    previous_hash bytea,
    rotated_at    bigint not null,
    confirmed     bigint not null,
    provider      bytea,
    created_at    bigint not null,
    last_used_at  bigint not null,
    ends_at       bigint not null,
    constraint sessions_pkey primary key (id)
) without rowid;
create index sessions_of_org on sessions (org, id);
create index sessions_of_subject on sessions (subject);
create index sessions_ends_at on sessions (ends_at);

create table denied_tokens (
    org        text   not null references orgs (id),
    jti        text   not null,
    denied_by  text   not null,
    denied_at  bigint not null,
    expires_at bigint not null,
    constraint denied_tokens_pkey primary key (org, jti)
) without rowid;
create index denied_tokens_expires_at on denied_tokens (expires_at);

create table org_settings (
    org        text   not null references orgs (id),
    key        text   not null,
    value      text   not null,
    changed_by text   not null,
    changed_at bigint not null,
    constraint org_settings_pkey primary key (org, key)
) without rowid;
