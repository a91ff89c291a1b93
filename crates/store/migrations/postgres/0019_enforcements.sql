-- What the hub itself enforces at the edge, one row for a resource of a node in a zone. `wanted` follows intent and
-- nothing else; the other columns tell what became of it. Keep the twin of this file under the other engine's folder in
-- step.

create table enforcements (
    node       text collate "C" not null,
    resource   text collate "C" not null, -- KIND/NAME
    zone       text collate "C" not null,
    org        text collate "C" not null,
    enforcer   text collate "C" not null,
    secret     text collate "C" not null, -- with which the edge is called; no foreign key: it may go first
    wanted     text collate "C",          -- a hash; null: its rules are to go
    begun      bigint not null, -- whether something of it may be at the edge
    applied    text collate "C",          -- a hash
    applied_at bigint,
    status     text collate "C" not null,
    reason     text collate "C",
    message    text collate "C",
    since      bigint not null,
    failures   bigint not null,
    next_try   bigint not null,
    turn       bigint not null, -- rises with every change, so that nobody writes over what he has not read
    constraint enforcements_pkey primary key (node, resource, zone),
    constraint enforcements_numbers check (failures >= 0 and turn >= 0 and (begun = 0 or begun = 1)),
    constraint enforcements_applied check (begun = 1 or applied is null),
    constraint enforcements_status check (
        status = 'in_order' or status = 'pending' or status = 'drifted' or status = 'failed'
    ),
    foreign key (org, node) references nodes (org, id)
);
create index enforcements_due on enforcements (next_try);
create index enforcements_of_secret on enforcements (org, secret);
