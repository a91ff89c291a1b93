-- What a summary counts is found without looking at the rest: the exceptions among nodes, and the ends of tasks that
-- are not the usual one. None of them is written to by a task that goes well.
-- What is `> 0` is not null; the statements that say `is not null` have better indexes, and are not to take these.
-- Keep the twin of this file under the other engine's folder in step.

create index nodes_revoked on nodes (org) where revoked_at > 0;
create index nodes_quarantined on nodes (org) where quarantined_at > 0;
create index node_signs_missed on node_signs (presence, node) where presence <> 'online';
create index node_signs_skewed on node_signs (clock, node) where clock = 'skewed';
create index node_keys_by_version on node_keys (keys_version, node);
create index node_keys_by_issuer on node_keys (issued_by, node);
create index tasks_ended_otherwise on tasks (org, status, finished_at)
    where finished_at is not null and status <> 'completed';
create index tasks_dead on tasks (org) where status = 'failed' and code = 'lease_expired';
