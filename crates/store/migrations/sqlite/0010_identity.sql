-- With what nodes prove who they are, how far their clocks are off, which get no tasks because two agents came with
-- one key, and which assertions were used, for hubs that share this database.
-- Keep the twin of this file under the other engine's folder in step.

alter table node_signs add column proof text; -- null: not heard yet
alter table node_signs add column clock text; -- null: not said yet
alter table node_signs add column clock_skew_ms bigint; -- when that was said
alter table nodes add column quarantined_at bigint; -- null: not quarantined

create table assertions (
    id         text   not null, -- a hash over the node and the assertion's own id
    expires_at bigint not null,
    constraint assertions_pkey primary key (id)
) without rowid;
create index assertions_by_end on assertions (expires_at);
