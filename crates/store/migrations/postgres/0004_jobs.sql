-- Jobs: one request for many nodes. A job's tasks are tasks like any other, and say how each node fares;
-- `job_nodes` says which nodes it is for, and which of them have a task.
-- Keep the twin of this file under the other engine's folder in step.

create table jobs (
    id            text collate "C"   not null,
    org           text collate "C"   not null references orgs (id),
    type_name     text collate "C"   not null,
    payload       text collate "C"   not null, -- JSON
    selector      text collate "C"   not null, -- JSON, as it was asked for
    priority      bigint not null,
    idempotent    bigint not null,
    retries_max   bigint not null,
    lease_ms      bigint not null,
    not_after     bigint,
    nodes         bigint not null,
    at_a_time     bigint,          -- null: any number
    stop_failures bigint,
    stop_percent  bigint,
    submitted_by  text collate "C"   not null,
    submitted_at  bigint not null,
    traceparent   text collate "C",
    status        text collate "C"   not null,
    turn          bigint not null, -- rises with every step, so that no two hubs take the same one
    finished_at   bigint,
    constraint jobs_pkey primary key (id),
    constraint jobs_status check (
        status = 'running' or status = 'paused' or status = 'stopping' or status = 'cancelling'
        or status = 'completed' or status = 'stopped' or status = 'cancelled'
    ),
    constraint jobs_numbers check (
        nodes > 0 and (at_a_time is null or at_a_time > 0) and (stop_failures is null or stop_failures > 0)
        and (stop_percent is null or (stop_percent > 0 and stop_percent <= 100))
    ),
    constraint jobs_end check (
        (finished_at is not null) = (status = 'completed' or status = 'stopped' or status = 'cancelled')
    )
);
create index jobs_of_org on jobs (org, id);
create index jobs_open on jobs (id) where finished_at is null;
create index jobs_ended on jobs (finished_at) where finished_at is not null;

create table job_nodes (
    job      text collate "C"   not null references jobs (id) on delete cascade,
    position bigint not null, -- from 1, in the order of names
    node     text collate "C"   not null references nodes (id),
    stage    text collate "C"   not null,
    task     text collate "C",            -- no foreign key: this outlives it
    code     text collate "C",            -- why it was skipped
    constraint job_nodes_pkey primary key (job, position),
    constraint job_nodes_stage check (stage = 'waiting' or stage = 'released' or stage = 'skipped'),
    constraint job_nodes_task check ((task is not null) = (stage = 'released')),
    constraint job_nodes_code check ((code is not null) = (stage = 'skipped'))
);
create index job_nodes_stages on job_nodes (job, stage, position);

alter table tasks add column job text collate "C" references jobs (id);
create index tasks_of_job on tasks (job, status) where job is not null;
