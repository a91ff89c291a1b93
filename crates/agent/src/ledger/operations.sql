-- The nonces of operations, each until its operation has expired: none is used for another.
create table nonces (
  nonce       text    not null primary key,
  operation   blob    not null check (length(operation) = 16),
  expires_at  integer not null
) without rowid;

-- The newest version of the operators of which the hub has told.
alter table line add column operators_version integer not null default 0;

-- Reboots that were asked for and whose run has not ended: what tells, after a start, whether it happened.
create table reboots (
  task      blob    not null check (length(task) = 16),
  run       integer not null,
  -- The kernel's boot id before it.
  boot      text    not null,
  asked_at  integer not null,
  primary key (task, run)
) without rowid;
