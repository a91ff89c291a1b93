-- Keys of nodes whose client knows the trust API and has no certificate. A node's `key_fingerprint` names
-- the one that counts, as `key:ID`; the others are void. Keep the twin of this file under the other
-- engine's folder in step.

create table trust_keys (
    id          text collate "C"   not null,
    node        text collate "C"   not null references nodes (id),
    secret_hash bytea  not null,
    created_by  text collate "C"   not null,
    created_at  bigint not null,
    constraint trust_keys_pkey primary key (id)
);
