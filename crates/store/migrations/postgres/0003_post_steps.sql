-- What the hub does after a task has ended, planned in the transaction of the end, and the fields that
-- such steps took from results. Keep the twin of this file under the other engine's folder in step.

create table post_steps (
    task        text   not null references tasks (id) on delete cascade,
    run         bigint not null,
    name        text   not null, -- as the type's pack has it
    item        bigint not null, -- from 1: for one item of the list that the step is for; 0: the step itself
    org         text   not null,
    kind        text   not null,
    status      text   not null,
    tries       bigint not null,
    since       bigint not null, -- its planning, or when somebody asked for it again
    next_at     bigint,          -- not begun before this; while it is under way, when it is begun anew
    finished_at bigint,
    code        text,            -- of the last try
    message     text,
    constraint post_steps_pkey primary key (task, run, name, item),
    constraint post_steps_status check (status = 'pending' or status = 'done' or status = 'failed'),
    constraint post_steps_next check ((next_at is null) = (status <> 'pending')),
    constraint post_steps_end check ((finished_at is null) = (status = 'pending'))
);
create index post_steps_due on post_steps (next_at) where status = 'pending';

-- Facts: what results said of a node or a site. The newest result's word stands.
create table fields (
    org         text   not null references orgs (id),
    holder_kind text   not null,
    holder      text   not null, -- a node's id, or a site's key
    name        text   not null,
    value       text   not null, -- JSON
    task        text   not null, -- whose result said so; no foreign key, since fields outlive tasks
    at          bigint not null, -- when that task ended
    constraint fields_pkey primary key (org, holder_kind, holder, name),
    constraint fields_holder_kind check (holder_kind = 'node' or holder_kind = 'site')
);
