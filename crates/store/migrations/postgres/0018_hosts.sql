-- On which node a guest lives. Both are nodes of one org with a key each; neither acts for the other.
-- Keep the twin of this file under the other engine's folder in step.

-- The node that it lives on, which lives on none; null: on none. No foreign key: rows are copied in the order of their
-- ids, and a host may be the younger of the two. Nodes are never deleted.
alter table nodes add column host text collate "C";
alter table invites add column host text collate "C"; -- the name of the node that the new one lives on; null: on none
create index nodes_of_host on nodes (org, host, name) where host is not null;
