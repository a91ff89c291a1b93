-- People: scopes and the service role of tokens; accounts with passwords, for hubs without a provider;
-- sessions of the console; tokens of a provider that are denied before their time; what an org's
-- administrators may set. Keep the twin of this file under the other engine's folder in step.

alter table tokens add column scopes text collate "C";
alter table tokens drop constraint tokens_role;
alter table tokens add constraint tokens_role
    check (role = 'viewer' or role = 'operator' or role = 'admin' or role = 'service');

create table accounts (
    id            text collate "C"   not null,
    org           text collate "C"   not null references orgs (id),
    name          text collate "C"   not null,
    role          text collate "C"   not null,
    password_hash text collate "C"   not null,
    created_by    text collate "C"   not null,
    created_at    bigint not null,
    disabled_at   bigint,
    signed_in_at  bigint,
    constraint accounts_pkey primary key (id),
    constraint accounts_name unique (name),
    constraint accounts_role check (role = 'viewer' or role = 'operator' or role = 'admin')
);
create index accounts_of_org on accounts (org, id);

create table sessions (
    id            text collate "C"   not null,
    org           text collate "C"   not null references orgs (id),
    subject       text collate "C"   not null,
    name          text collate "C"   not null,
    role          text collate "C"   not null,
    secret_hash   bytea  not null,
    previous_hash bytea,
    rotated_at    bigint not null,
    confirmed     bigint not null,
    provider      bytea,
    created_at    bigint not null,
    last_used_at  bigint not null,
    ends_at       bigint not null,
    constraint sessions_pkey primary key (id)
);
create index sessions_of_org on sessions (org, id);
create index sessions_of_subject on sessions (subject);
create index sessions_ends_at on sessions (ends_at);

create table denied_tokens (
    org        text collate "C"   not null references orgs (id),
    jti        text collate "C"   not null,
    denied_by  text collate "C"   not null,
    denied_at  bigint not null,
    expires_at bigint not null,
    constraint denied_tokens_pkey primary key (org, jti)
);
create index denied_tokens_expires_at on denied_tokens (expires_at);

create table org_settings (
    org        text collate "C"   not null references orgs (id),
    key        text collate "C"   not null,
    value      text collate "C"   not null,
    changed_by text collate "C"   not null,
    changed_at bigint not null,
    constraint org_settings_pkey primary key (org, key)
);
