-- Deliveries that a node's agent refused as a whole, by reason, as JSON: one row for a node, so that nobody
-- can fill the table. Keep the twin of this file under the other engine's folder in step.

create table node_refusals (
    node    text not null references nodes (id),
    refused text not null,
    constraint node_refusals_pkey primary key (node)
) without rowid;
