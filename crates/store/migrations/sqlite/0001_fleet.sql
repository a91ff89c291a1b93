-- The fleet: orgs, sites, nodes and who may come in, tasks, events.
-- Columns are text, bigint or bytea; times are milliseconds since the epoch, ids and JSON are text,
-- yes and no are 1 and 0. Keep the twin of this file under ../postgres in step.

create table orgs (
    id         text   not null,
    name       text   not null,
    created_at bigint not null,
    constraint orgs_pkey primary key (id),
    constraint orgs_name unique (name)
) without rowid;

create table sites (
    org        text   not null references orgs (id),
    key        text   not null,
    name       text   not null,
    created_at bigint not null,
    constraint sites_pkey primary key (org, key)
) without rowid;

-- What people and enrolment decided about a node: all of it intent. What the hub notes while it
-- hears a node stands in node_signs, what the node says of itself in node_facts: those are facts,
-- and written so often that the rest must not be rewritten with them.
create table nodes (
    id                text   not null,
    org               text   not null references orgs (id),
    name              text   not null,
    site              text,
    kind              text   not null,
    labels            text   not null, -- JSON object of strings, keys sorted
    key_fingerprint   text   not null, -- the identity
    certificate_until bigint not null,
    enrolled_at       bigint not null,
    revoked_at        bigint,
    stale_after       bigint,          -- null: the default
    down_after        bigint,          -- null: the default
    constraint nodes_pkey primary key (id),
    constraint nodes_name unique (org, name),
    constraint nodes_of_org unique (org, id),
    constraint nodes_thresholds check (stale_after is null or down_after is null or stale_after <= down_after),
    foreign key (org, site) references sites (org, key)
) without rowid;

create table node_signs (
    node         text   not null references nodes (id),
    presence     text   not null,
    presence_at  bigint not null,
    heard_at     bigint,          -- null: never
    silent_since bigint not null, -- heard_at, moved forward over the hub's own absences
    delivered    bigint not null, -- the highest delivery handed out in this enrolment
    acknowledged bigint not null, -- the highest that the agent has on its disk
    constraint node_signs_pkey primary key (node),
    constraint node_signs_presence check (
        presence = 'online' or presence = 'new' or presence = 'stale' or presence = 'down'
    ),
    constraint node_signs_heard check (heard_at is not null or presence = 'new'),
    constraint node_signs_line check (acknowledged >= 0 and acknowledged <= delivered)
) without rowid;

create table node_facts (
    node  text not null references nodes (id),
    facts text not null, -- JSON
    constraint node_facts_pkey primary key (node)
) without rowid;

create table invites (
    id          text   not null,
    org         text   not null references orgs (id),
    node_name   text   not null,
    site        text,
    kind        text   not null,
    labels      text   not null,
    replaces    bigint not null, -- may give a node that exists a new key
    secret_hash bytea  not null,
    created_by  text   not null,
    created_at  bigint not null,
    expires_at  bigint not null,
    revoked_at  bigint,
    used_at     bigint,
    used_by_key text,
    node        text references nodes (id),
    constraint invites_pkey primary key (id),
    constraint invites_flags check (replaces = 0 or replaces = 1),
    constraint invites_used check (
        (used_at is null and used_by_key is null and node is null)
        or (used_at is not null and used_by_key is not null and node is not null)
    ),
    foreign key (org, site) references sites (org, key)
) without rowid;
create index invites_of_org on invites (org, id);

create table tokens (
    id           text   not null,
    org          text   not null references orgs (id),
    name         text   not null,
    role         text   not null,
    secret_hash  bytea  not null,
    created_by   text   not null,
    created_at   bigint not null,
    expires_at   bigint,
    revoked_at   bigint,
    last_used_at bigint,
    constraint tokens_pkey primary key (id),
    constraint tokens_role check (role = 'viewer' or role = 'operator' or role = 'admin')
) without rowid;
create index tokens_of_org on tokens (org, id);

create table idempotency (
    org        text   not null,
    principal  text   not null,
    key        text   not null,
    route      text   not null,
    body_hash  bytea  not null,
    answer     text   not null,
    created_at bigint not null,
    constraint idempotency_pkey primary key (org, principal, key)
) without rowid;
create index idempotency_by_age on idempotency (created_at);

-- A state that makes no sense cannot be stored. Alternatives are spelled with `or`, since SQLite
-- builds a table in memory for each `in` of more than two words, with every insert.
create table tasks (
    id            text   not null,
    org           text   not null,
    node          text   not null,
    type_name     text   not null,
    priority      bigint not null,
    payload       text   not null, -- JSON
    idempotent    bigint not null,
    submitted_by  text   not null,
    submitted_at  bigint not null,
    traceparent   text,
    status        text   not null,
    attempt       bigint not null,
    run           bigint not null,
    retries       bigint not null,
    retries_max   bigint not null,
    lease_ms      bigint not null,
    not_before    bigint,
    not_after     bigint,
    lease_until   bigint,
    cancel_asked  bigint not null,
    delivery      bigint not null, -- the delivery that last carried it; 0: none
    claimed_at    bigint,
    finished_at   bigint,
    code          text,
    ended_by      text,
    message       text,
    result        text,            -- JSON
    result_digest bytea,           -- of the agent's report that ended it
    constraint tasks_pkey primary key (id),
    foreign key (org, node) references nodes (org, id),
    constraint tasks_status check (
        status = 'pending' or status = 'in_progress' or status = 'completed' or status = 'failed'
        or status = 'rejected' or status = 'cancelled' or status = 'expired'
    ),
    constraint tasks_numbers check (
        attempt >= 0 and run >= 1 and retries >= 0 and retries <= retries_max and lease_ms > 0 and delivery >= 0
        and (idempotent = 0 or idempotent = 1)
    ),
    constraint tasks_pending check (
        status <> 'pending' or (
            lease_until is null and cancel_asked = 0 and delivery = 0 and claimed_at is null
            and finished_at is null and code is null and ended_by is null
        )
    ),
    constraint tasks_in_progress check (
        status <> 'in_progress' or (
            lease_until is not null and (cancel_asked = 0 or cancel_asked = 1) and claimed_at is not null
            and attempt >= 1 and not_before is null and finished_at is null and code is null and ended_by is null
        )
    ),
    constraint tasks_ended check (
        finished_at is null or (lease_until is null and cancel_asked = 0 and not_before is null)
    ),
    constraint tasks_end_known check (
        status = 'pending' or status = 'in_progress' or finished_at is not null
    ),
    constraint tasks_code check (
        (code is null) = (status <> 'failed' and status <> 'rejected')
    ),
    constraint tasks_ended_by check (
        (ended_by is null) = (status <> 'failed' and status <> 'cancelled')
        and (ended_by is null or ended_by = 'agent' or ended_by = 'hub')
    ),
    constraint tasks_result check (result is null or status = 'completed'),
    constraint tasks_result_digest check (
        result_digest is null or (finished_at is not null and status <> 'expired')
    )
) without rowid;

-- Each index costs every insert, so each has its reader. A task stands in three of them at most:
-- by org, by node in the index of its stage, and by its lease or its times.

-- People's lists, per status; a list of all statuses is a merge. Newest first is its end.
create index tasks_of_org on tasks (org, status, id);
-- What a node is handed next. Holds what waits and nothing else, so it stays small and warm.
create index tasks_queue on tasks (node, priority desc, id) where status = 'pending';
-- What a node holds.
create index tasks_held on tasks (node) where status = 'in_progress';
-- What a node has done, for its page. Written once in a task's life, at the end.
create index tasks_done on tasks (node, id, status) where finished_at is not null;
-- Which lease ends next.
create index tasks_leases on tasks (lease_until) where status = 'in_progress';
-- Which wait ends next; most tasks have no such times and cost nothing here.
create index tasks_due on tasks (not_before, node) where status = 'pending' and not_before is not null;
create index tasks_overdue on tasks (not_after) where status = 'pending' and not_after is not null;

-- The number is given at insert: there is one writer, so numbers commit in order.
-- No foreign keys: events outlive what they tell of.
create table events (
    number integer not null,
    org    text    not null,
    at     bigint  not null,
    kind   text    not null,
    node   text,
    task   text,
    actor  text    not null,
    data   text    not null, -- JSON
    constraint events_pkey primary key (number)
);
create index events_of_task on events (task) where task is not null;
