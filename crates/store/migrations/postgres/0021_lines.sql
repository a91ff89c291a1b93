-- Which hub has a node's line: the one that brought it there last. Another hub, or another start of the agent, counts
-- the arrivals up. Keep the twin of this file under the other engine's folder in step.

alter table node_signs add column arrivals bigint not null default 0;
alter table node_signs add column boot text collate "C"; -- the start of the agent that arrived last; null: none yet
alter table node_signs add column seq bigint not null default 0; -- the number of its first wait there
