-- Nodes that are not in order with their desired state are found without reading what the others have said. A node that
-- has told of something wrong stands in the first index until it says that it is in order; by the second, what a node
-- has accepted is held against what is meant for it.
-- Keep the twin of this file under the other engine's folder in step.

create index node_observed_otherwise on node_observed (org, standing, node) where standing <> 'converged';
create index node_observed_accepted on node_observed (org, node, standing, generation);
