-- Events that this agent tells by itself and the hub has not taken yet. Numbers are not used again.
create table events (
  number  integer primary key autoincrement,
  kind    text    not null,
  -- What belongs to it (JSON).
  data    text    not null
);
-- One row: the id of this outbox, drawn when the first event is kept.
create table events_outbox (
  id      blob    not null check (length(id) = 16)
);
-- What was told of each target of a backup.
create table told_backups (
  target       text not null primary key,
  completed_at integer,
  failed_at    integer
) without rowid;
