-- Times in which nobody is told what begins at some nodes. Keep the twin of this file under the other engine's folder
-- in step.

create table maintenance (
    id        text collate "C" not null,
    org       text collate "C" not null references orgs (id),
    reason    text collate "C" not null,
    selector  text collate "C" not null, -- which nodes, as JSON
    begins_at bigint not null,
    ends_at   bigint not null,
    made_by   text collate "C" not null,
    made_at   bigint not null,
    ended_by  text collate "C",          -- who ended it before its time
    ended_at  bigint,
    constraint maintenance_pkey primary key (id),
    constraint maintenance_times check (begins_at < ends_at),
    constraint maintenance_ended check ((ended_by is null) = (ended_at is null))
);
create index maintenance_of_org on maintenance (org, id);
create index maintenance_not_ended on maintenance (org, ends_at) where ended_at is null;
create index maintenance_over on maintenance (ends_at);
