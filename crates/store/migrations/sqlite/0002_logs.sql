-- What handlers wrote while they ran, and how far they said they were. Facts: both come from agents.
-- Keep the twin of this file under the other engine's folder in step.

-- The pieces of a run's log follow each other without a gap: the next begins where the last ends.
create table task_logs (
    task   text   not null references tasks (id) on delete cascade,
    run    bigint not null,
    first  bigint not null, -- the byte of the log at which the piece begins
    bytes  bytea  not null,
    length bigint not null, -- of the bytes
    constraint task_logs_pkey primary key (task, run, first),
    constraint task_logs_first check (first >= 0 and length > 0)
) without rowid;

-- The newest word on each task; what was said before is not kept.
create table task_progress (
    task    text   not null references tasks (id) on delete cascade,
    run     bigint not null,
    percent bigint,
    message text   not null,
    at      bigint not null,
    constraint task_progress_pkey primary key (task),
    constraint task_progress_percent check (percent is null or (percent >= 0 and percent <= 100))
) without rowid;

-- How long the log of a run is, as the agent said with the run's end. No row: there is none.
create table task_log_ends (
    task   text   not null references tasks (id) on delete cascade,
    run    bigint not null,
    length bigint not null,
    constraint task_log_ends_pkey primary key (task, run)
) without rowid;
