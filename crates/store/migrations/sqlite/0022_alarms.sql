-- What is wrong, from its beginning to its end, and the rules by which orgs judge it. Keep the twin of this file under
-- the other engine's folder in step.

create table alarms (
    id          text not null,
    org         text not null references orgs (id),
    rule        text not null,
    judged_by   text not null, -- a hash of the rule: another text is another rule
    severity    text not null,
    node        text,          -- no foreign key: nodes stay
    subject     text not null, -- what it is about beside its node; empty: nothing
    state       text not null,
    began_at    bigint not null,
    seen_at     bigint not null,
    seen        bigint not null,
    due_at      bigint,         -- when time alone changes it
    opened_at   bigint,
    resolved_at bigint,
    summary     text not null,
    data        text not null, -- what began it
    turn        bigint not null, -- rises with every change, so that nobody writes over what he has not read
    constraint alarms_pkey primary key (id),
    constraint alarms_numbers check (seen > 0 and turn >= 0),
    constraint alarms_severity check (severity = 'info' or severity = 'warning' or severity = 'critical'),
    constraint alarms_state check (
        (state = 'pending' and due_at is not null and opened_at is null and resolved_at is null)
        or (state = 'open' and opened_at is not null and resolved_at is null)
        or (state = 'resolved' and due_at is null and opened_at is not null and resolved_at is not null)
    )
) without rowid;
-- Of one rule, node and subject one is live.
-- Not a partial index: where that is small, it may be read from end to end for each of many keys.
create unique index alarms_live on alarms ((case when resolved_at is null then cast(1 as bigint) end), org, rule, coalesce(node, ''), subject);
create index alarms_live_of_node on alarms ((case when resolved_at is null then cast(1 as bigint) end), node);
create index alarms_due on alarms (due_at) where due_at is not null;
create index alarms_resolved on alarms (resolved_at) where resolved_at is not null;
create index alarms_of_org on alarms (org, id);
create index alarms_of_node on alarms (org, node, id);
create index alarms_of_state on alarms (org, state, id);

-- An org's own rules; without a rule, the one of this name that the hub or a pack has is switched off.
create table alarm_rules (
    org        text not null references orgs (id),
    name       text not null,
    rule       text,
    changed_by text not null,
    changed_at bigint not null,
    constraint alarm_rules_pkey primary key (org, name)
) without rowid;

-- How far the hub itself has followed its events: the number up to which it did what follows from them.
create table event_followers (
    name     text not null,
    number   bigint not null,
    moved_at bigint not null,
    constraint event_followers_pkey primary key (name),
    constraint event_followers_number check (number >= 0)
) without rowid;

-- Whether it was told that a node's certificate is near its end, and that it does not know the newest keys: each once.
alter table nodes add column certificate_told bigint not null default 0;
create index nodes_certificate_ending on nodes (certificate_until) where certificate_told = 0 and revoked_at is null;
alter table node_keys add column lag_told bigint not null default 0;
create index node_keys_lag on node_keys (lag_told, keys_version, node);
