-- Operations: privileged work that waits for operators' signatures, and the sets of operators that sites may
-- follow. What was signed goes out with the task of the same id, in `tasks.operation`; the hub cannot make it.
-- Keep the twin of this file under the other engine's folder in step.

create table operations (
    id           text   not null,
    org          text   not null references orgs (id),
    node         text   not null references nodes (id),
    node_key     text   not null, -- the node's key when it was proposed: another is another target
    type_name    text   not null,
    payload      text   not null, -- JSON
    reason       text,
    wanted       bigint not null, -- signatures
    valid_ms     bigint not null,
    proposed_by  text   not null,
    proposed_at  bigint not null,
    ends_at      bigint not null,
    traceparent  text,
    stage        text   not null,
    envelope     text,            -- JSON: what was signed, with the signatures so far
    signed_by    text   not null, -- JSON: who brought which signature, and when
    ended_at     bigint,
    message      text,
    constraint operations_pkey primary key (id),
    constraint operations_stage check (
        stage = 'awaiting_signature' or stage = 'released' or stage = 'rejected' or stage = 'expired'
    ),
    constraint operations_numbers check (wanted > 0 and valid_ms > 0),
    constraint operations_released check (stage <> 'released' or envelope is not null),
    constraint operations_ended check ((ended_at is null) = (stage = 'awaiting_signature'))
) without rowid;
create index operations_of_org on operations (org, id);
create index operations_waiting on operations (org, id) where stage = 'awaiting_signature';
create index operations_ending on operations (ends_at) where stage = 'awaiting_signature';

create table operator_sets (
    org          text   not null references orgs (id),
    version      bigint not null,
    link         text   not null, -- JSON: the set in its envelope
    published_by text   not null,
    published_at bigint not null,
    constraint operator_sets_pkey primary key (org, version),
    constraint operator_sets_version check (version > 0)
) without rowid;

alter table tasks add column operation text;
