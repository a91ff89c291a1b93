-- Looking back: what happened at each node and in each org, in stretches of an hour and a day. Keep the twin of this
-- file under the other engine's folder in step.

create table history (
    holder            text collate "C" not null, -- a node or an org
    step              text collate "C" not null,
    at                bigint not null,      -- when the stretch begins
    tasks_completed   bigint not null,
    tasks_failed      bigint not null,
    tasks_other       bigint not null,
    backups_completed bigint not null,
    backups_failed    bigint not null,
    backups_missed    bigint not null,
    online_ms         bigint not null,      -- summed over nodes, up to the last change
    online_before     bigint,               -- how many were online before the first change in it, and after the last
    online_after      bigint,
    changed_at        bigint,
    constraint history_pkey primary key (holder, step, at),
    constraint history_step check (step = 'hour' or step = 'day'),
    constraint history_change check (
        (online_before is null) = (changed_at is null) and (online_after is null) = (changed_at is null)
    )
);
create index history_by_age on history (step, at);

-- How many nodes are online of each holder, since when, and since when that is known.
create table history_levels (
    holder      text collate "C" not null,
    online      bigint not null,
    since_at    bigint not null,
    known_since bigint not null,
    constraint history_levels_pkey primary key (holder),
    constraint history_levels_online check (online >= 0)
);
