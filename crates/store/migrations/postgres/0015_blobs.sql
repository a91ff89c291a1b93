-- What lies beside the database, in a folder or an S3 store, and the logs of ended tasks that lie there.
-- Keep the twin of this file under the other engine's folder in step.

-- A row comes before its bytes and goes after them: whatever lies in the place of blobs is known here.
create table blobs (
    id         text   not null,
    org        text   not null, -- no foreign key: it would need an index of its own, and orgs stay
    sha256     text   not null, -- of the bytes, in hex
    bytes      bigint not null,
    begun_at   bigint not null, -- when somebody last began to keep them
    kept_at    bigint,          -- since when they are in their place as a whole
    leaving_at bigint,          -- since when nobody refers to them, and nobody can any more
    constraint blobs_pkey primary key (id),
    constraint blobs_bytes check (bytes > 0)
);
-- What is the same is kept once, within an org.
create unique index blobs_content on blobs (org, sha256) where leaving_at is null;
create index blobs_leaving on blobs (leaving_at) where leaving_at is not null;

-- The first `length` bytes of a run's log, which are no pieces in `task_logs` any more.
create table task_log_archives (
    task   text   not null references tasks (id) on delete cascade,
    run    bigint not null,
    length bigint not null,
    blob   text   not null references blobs (id),
    constraint task_log_archives_pkey primary key (task, run),
    constraint task_log_archives_length check (length > 0)
);
create index task_log_archives_blob on task_log_archives (blob);
