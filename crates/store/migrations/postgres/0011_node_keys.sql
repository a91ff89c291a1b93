-- Which of the hub's keys each node knows: facts that decide when a rotation may be finished. A node
-- whose client verifies nothing, on the trust API, has no row. Keep the twin of this file under the other
-- engine's folder in step.

create table node_keys (
    node         text collate "C"   not null references nodes (id),
    keys_version bigint not null, -- the key set that it says it has
    issued_by    text collate "C"   not null, -- fingerprint of the authority of its certificate; '': the first
    constraint node_keys_pkey primary key (node)
);

insert into node_keys (node, keys_version, issued_by)
    select id, 1, '' from nodes where key_fingerprint not like 'key:%';
