-- The nonces of operations, each until its operation has expired: none is used for another.
create table nonces (
  nonce       text    not null primary key,
  operation   blob    not null check (length(operation) = 16),
  expires_at  integer not null
) without rowid;

-- The newest version of the operators of which the hub has told.
alter table line add column operators_version integer not null default 0;
