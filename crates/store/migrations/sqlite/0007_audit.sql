-- The audit log: for each org a chain of links, kept as the lines in which it is exported. A block holds the
-- links of one commit. Keep the twin of this file under the other engine's folder in step; only there, entries
-- wait for their link in a table of their own, since here the one writer gives it to them before it commits. No
-- foreign keys: the log outlives what it tells of.

create table audit (
    org   text    not null,
    first bigint  not null,
    last  bigint  not null,
    hash  bytea   not null, -- of the last link
    lines text    not null,
    constraint audit_pkey primary key (org, last),
    constraint audit_is_not_empty check (first >= 1 and first <= last),
    constraint audit_hash check (length(hash) = 32)
);

create trigger audit_is_not_changed before update on audit
begin
    select raise(abort, 'the audit log is only added to');
end;
create trigger audit_is_not_deleted before delete on audit
begin
    select raise(abort, 'the audit log is only added to');
end;
