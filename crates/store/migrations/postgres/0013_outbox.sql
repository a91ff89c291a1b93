-- How far the hub's events have come on their way to others: the number up to which all were acknowledged.
-- Keep the twin of this file under the other engine's folder in step.

create table outbox_cursors (
    relay    text collate "C"   not null,
    number   bigint not null,
    moved_at bigint not null,
    constraint outbox_cursors_pkey primary key (relay),
    constraint outbox_cursors_number check (number >= 0)
);
