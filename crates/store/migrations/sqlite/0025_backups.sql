-- Backups at sites: what nodes said of each target last, by when backups are expected, and how far nodes have told
-- events of their own. Keep the twin of this file under the other engine's folder in step.

create table backups (
    node         text not null references nodes (id),
    target       text not null,
    completed_at bigint, -- the newest good one, by the node's clock and not after its report
    failed_at    bigint,
    reported_at  bigint, -- absent: it was only expected so far
    missed_since bigint, -- when the newest day began on which it was missed and has not been made up
    constraint backups_pkey primary key (node, target)
) without rowid;

create table backup_deadlines (
    org        text not null references orgs (id),
    name       text not null,
    target     text not null,
    deadline   text not null, -- as JSON
    selector   text not null, -- which nodes, as JSON
    changed_by text not null,
    changed_at bigint not null,
    judge_at   bigint not null,      -- when its next day is judged
    judging    bigint,               -- the deadline of the day that is being judged
    judged_to  text not null, -- the name of the node up to which it was judged then
    turn       bigint not null,      -- rises with every change, so that nobody judges twice
    constraint backup_deadlines_pkey primary key (org, name),
    constraint backup_deadlines_turn check (turn >= 0)
) without rowid;
create index backup_deadlines_due on backup_deadlines (judge_at);

create table node_events (
    node   text not null references nodes (id),
    outbox text not null, -- the agent's own; another one counts anew
    number bigint not null,     -- of the newest event that was taken from it
    constraint node_events_pkey primary key (node),
    constraint node_events_number check (number > 0)
) without rowid;
