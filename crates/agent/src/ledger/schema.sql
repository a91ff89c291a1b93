-- One row for each run of each task that this agent has accepted in the last 90 days.
create table runs (
  task        blob    not null check (length(task) = 16),
  run         integer not null,
  -- The newest claim of this run that was seen; results and heartbeats name it.
  attempt     integer not null,
  -- See rules/ledger.rs. (Written with `or`: for `in` SQLite builds a small table each time.)
  stage       text    not null
              check (stage = 'accepted' or stage = 'started' or stage = 'done' or stage = 'reported'),
  idempotent  integer not null,
  -- Where it stood: runs are begun in this order.
  delivery    integer not null,
  position    integer not null,
  -- The task as it was handed out (JSON); gone when the run has ended.
  handed      blob,
  -- The result as it is reported (JSON); gone some days after the receipt.
  result      blob,
  ended_at    integer,
  primary key (task, run),
  check ((handed is not null) = (stage = 'accepted' or stage = 'started')),
  check (stage <> 'done' or result is not null),
  check ((ended_at is not null) = (stage = 'done' or stage = 'reported'))
) without rowid;

-- What is held or unreported: the few rows that a start, and a report after an outage, look at.
create index open_runs on runs (delivery, position) where stage <> 'reported';

-- One row: how far the line to the hub has come.
create table line (
  acknowledged integer not null,
  -- The newest time that the hub has signed, in milliseconds since the epoch.
  hub_time     integer not null
);
insert into line (acknowledged, hub_time) values (0, 0);
