-- What hubs on one database share beside what they do: their keys, sealed with a key that is not in the database,
-- and who of them does what needs doing once. Keep the twin of this file under the other engine's folder in step.

create table hub_keys (
    name   text not null, -- as the file in the data folder would be called
    sealed blob not null,
    constraint hub_keys_pkey primary key (name)
) without rowid;

-- One row for each change of the keys: of two hubs that make the next one, one is refused.
create table hub_key_changes (
    number bigint not null,
    constraint hub_key_changes_pkey primary key (number)
) without rowid;

create table leaders (
    duty   text   not null,
    holder text   not null,
    beat   bigint not null, -- rises while the holder lives
    constraint leaders_pkey primary key (duty)
) without rowid;
