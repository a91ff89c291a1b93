-- The id of the newest start of the agent: the next is above it, whatever the clock says.
alter table line add column boot blob check (boot is null or length(boot) = 16);

-- Deliveries that were refused as a whole: one row for each reason, so that nobody can fill the disk.
create table refused (
  code     text    not null primary key,
  -- How many there were, and how many of them the hub has been told of.
  times    integer not null,
  told     integer not null default 0,
  -- Of the newest: its number, if it could be believed that far, and why in a sentence.
  number   integer,
  message  text    not null,
  -- By this machine's clock.
  first_at integer not null,
  last_at  integer not null
) without rowid;
