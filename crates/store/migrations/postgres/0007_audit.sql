-- The audit log: for each org a chain of links, kept as the lines in which it is exported. A block holds links
-- that were sealed together. Keep the twin of this file under the other engine's folder in step. No foreign keys:
-- the log outlives what it tells of, and each would lock the org's row for every act.

create table audit (
    org   text collate "C" not null,
    first bigint not null,
    last  bigint not null,
    hash  bytea  not null, -- of the last link
    lines text   not null,
    constraint audit_pkey primary key (org, last),
    constraint audit_is_not_empty check (first >= 1 and first <= last),
    constraint audit_hash check (length(hash) = 32)
);

create function audit_is_only_added_to() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only added to';
end
$$;
create trigger audit_is_not_changed before update or delete or truncate on audit
    for each statement execute function audit_is_only_added_to();

-- Entries that are committed and wait for their link: transactions commit in any order, a chain has one.
create table audit_waiting (
    row_id bigint generated always as identity,
    org    text collate "C" not null,
    entry  text not null, -- canonical JSON
    constraint audit_waiting_pkey primary key (row_id)
);
