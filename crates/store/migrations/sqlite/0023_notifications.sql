-- Who is told of alarms, what they were told, and what was held back. Keep the twin of this file under the other
-- engine's folder in step.

create table recipients (
    org             text not null references orgs (id),
    name            text not null,
    recipient       text not null,
    secret          blob,            -- with which calls of its webhook are signed, sealed
    secret_version  bigint not null, -- counts the secrets that there were
    webhook_gone_at bigint,          -- since when its webhook says that it wants nothing any more
    changed_by      text not null,
    changed_at      bigint not null,
    constraint recipients_pkey primary key (org, name)
) without rowid;

-- An org's own rules; without a rule, the one of this name that the hub has is switched off.
create table notification_rules (
    org        text not null references orgs (id),
    name       text not null,
    rule       text,
    changed_by text not null,
    changed_at bigint not null,
    constraint notification_rules_pkey primary key (org, name)
) without rowid;

-- One alarm's beginning or end, for one recipient on one channel.
create table notifications (
    id          text not null,
    org         text not null references orgs (id),
    event       bigint not null, -- the number of the event that told of it; no foreign key: events are forgotten
    alarm       text not null,   -- no foreign key either
    alarm_rule  text not null,
    severity    text not null,
    node        text,
    node_name   text,            -- as it was called then
    site        text,            -- where it was then
    subject     text not null,
    summary     text not null,
    opened      bigint not null, -- 1: it began; 0: it is over
    at          bigint not null, -- when that was
    recipient   text not null,
    channel     text not null,
    rule        text not null,   -- the notification rule that says so
    state       text not null,
    why         text,            -- why it is, or was, held back, or why it did not arrive
    due_at      bigint,          -- held back: when it is told after all
    waits_since bigint,
    dispatch    text,            -- with what it goes out
    created_at  bigint not null,
    ended_at    bigint,
    constraint notifications_pkey primary key (id),
    constraint notifications_once unique (org, event, recipient, channel),
    constraint notifications_channel check (channel = 'mail' or channel = 'webhook' or channel = 'console'),
    constraint notifications_opened check (opened = 0 or opened = 1),
    constraint notifications_state check (
        (state = 'waiting' and waits_since is not null and due_at is null and ended_at is null)
        or (state = 'held_back' and why is not null and waits_since is null and dispatch is null and ended_at is null)
        or ((state = 'sent' or state = 'failed' or state = 'given_up')
            and dispatch is not null and due_at is null and ended_at is not null)
    )
) without rowid;
-- What goes out with the next dispatch.
create index notifications_waiting on notifications (org, recipient, channel, waits_since)
    where state = 'waiting' and dispatch is null;
create index notifications_due on notifications (due_at) where due_at is not null;
create index notifications_of_dispatch on notifications (dispatch, id) where dispatch is not null;
create index notifications_of_alarm on notifications (alarm, id);
create index notifications_of_org on notifications (org, id);
create index notifications_of_state on notifications (org, state, id);
create index notifications_of_recipient on notifications (org, recipient, id);
create index notifications_created on notifications (created_at);

-- What goes out at once to one recipient on one channel, under one identity however often it is tried.
create table dispatches (
    id         text not null,
    org        text not null references orgs (id),
    recipient  text not null,
    channel    text not null,
    state      text not null,
    is_test    bigint not null, -- somebody wants to see whether it arrives
    count      bigint not null, -- of notifications
    tries      bigint not null,
    since      bigint not null,
    next_at    bigint,
    created_at bigint not null,
    ended_at   bigint,
    code       text,            -- why the last try failed, in a word
    why        text,            -- and in a sentence
    person     text,            -- in whose console it stands
    title      text,            -- what stands there
    text       text,
    read_at    bigint,
    constraint dispatches_pkey primary key (id),
    constraint dispatches_numbers check (count >= 0 and tries >= 0 and (is_test = 0 or is_test = 1)),
    constraint dispatches_channel check (channel = 'mail' or channel = 'webhook' or channel = 'console'),
    constraint dispatches_state check (
        (state = 'waiting' and next_at is not null and ended_at is null)
        or ((state = 'sent' or state = 'failed' or state = 'given_up') and next_at is null and ended_at is not null)
    ),
    constraint dispatches_console check (
        person is null or (channel = 'console' and title is not null and text is not null)
    )
) without rowid;
create index dispatches_due on dispatches (channel, next_at) where next_at is not null;
-- Which of those to one recipient by one way comes first.
create index dispatches_in_turn on dispatches (org, recipient, channel, id)
    where next_at is not null and is_test = 0;
create index dispatches_to on dispatches (org, recipient, channel, created_at);
create index dispatches_of_person on dispatches (org, person, id) where person is not null;
create index dispatches_unread on dispatches (org, person, id) where person is not null and read_at is null;
create index dispatches_created on dispatches (created_at);

-- When a recipient was last told that something began, by which way.
create table told (
    org        text not null references orgs (id),
    alarm_rule text not null,
    node       text not null, -- empty: about none
    subject    text not null,
    recipient  text not null,
    channel    text not null,
    told_at    bigint not null,
    constraint told_pkey primary key (org, alarm_rule, node, subject, recipient, channel)
) without rowid;
create index told_at on told (told_at);
