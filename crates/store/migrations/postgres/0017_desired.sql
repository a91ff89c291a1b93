-- Desired state. Intent is what people publish (`publications`, `drafts`, `secrets`), the way of it to nodes
-- (`publication_nodes`), and which revisions are meant for each node (`node_desired`). Facts are what nodes say of it
-- (`node_observed`) and of themselves (`reports`). Keep the twin of this file under the other engine's folder in step.

create table publications (
    id            text collate "C"   not null,
    org           text collate "C"   not null references orgs (id),
    layer         text collate "C"   not null,
    layer_of      text collate "C"   not null, -- empty for the org; a site's key; a node's id
    revision      bigint not null, -- from 1, of its layer
    state         text collate "C"   not null, -- JSON
    message       text collate "C"   not null,
    published_by  text collate "C"   not null,
    published_at  bigint not null,
    finished_at   bigint,
    repeats       bigint,          -- the revision whose state it repeats
    selector      text collate "C",            -- JSON; null: for all nodes of the layer
    nodes         bigint not null,
    at_a_time     bigint,          -- null: all at once, and none is waited for
    stop_failures bigint,
    within_ms     bigint not null,
    rolls_back    bigint not null,
    status        text collate "C"   not null,
    stands        bigint not null, -- it was completed for all nodes of its layer
    turn          bigint not null, -- rises with every step, so that no two hubs take the same one
    constraint publications_pkey primary key (id),
    constraint publications_revision unique (org, layer, layer_of, revision),
    constraint publications_layer check (layer = 'org' or layer = 'site' or layer = 'node'),
    constraint publications_layer_of check ((layer = 'org') = (layer_of = '')),
    constraint publications_numbers check (
        revision > 0 and nodes >= 0 and within_ms > 0 and turn >= 0
        and (repeats is null or (repeats > 0 and repeats < revision))
    ),
    constraint publications_stages check (
        (at_a_time is null and stop_failures is null and rolls_back = 0)
        or (at_a_time is not null and stop_failures is not null and at_a_time > 0 and stop_failures > 0
            and (rolls_back = 0 or rolls_back = 1))
    ),
    constraint publications_status check (
        status = 'running' or status = 'rolling_back' or status = 'completed' or status = 'stopped'
        or status = 'rolled_back' or status = 'superseded'
    ),
    constraint publications_end check (
        (finished_at is null) = (status = 'running' or status = 'rolling_back')
    ),
    constraint publications_stands check (
        stands = 0 or (stands = 1 and status = 'completed' and selector is null)
    )
);
-- One of a layer goes out at a time.
create unique index publications_going_out on publications (org, layer, layer_of) where finished_at is null;
create index publications_open on publications (id) where finished_at is null;
create index publications_standing on publications (org, layer, layer_of, revision) where stands = 1;

create table publication_nodes (
    publication text collate "C"   not null references publications (id) on delete cascade,
    position    bigint not null, -- from 1
    node        text collate "C"   not null references nodes (id),
    stage       text collate "C"   not null,
    before      bigint,          -- the revision of the layer that it had; 0: none
    generation  bigint,          -- the one by which it was given
    released_at bigint,
    ended_at    bigint,
    constraint publication_nodes_pkey primary key (publication, position),
    constraint publication_nodes_once unique (publication, node),
    constraint publication_nodes_stage check (
        stage = 'waiting' or stage = 'released' or stage = 'converged' or stage = 'failed' or stage = 'given'
        or stage = 'taken_back' or stage = 'skipped'
    ),
    constraint publication_nodes_given check (
        (stage <> 'waiting' and stage <> 'skipped' and before is not null and before >= 0
            and generation is not null and generation > 0 and released_at is not null)
        or ((stage = 'waiting' or stage = 'skipped') and before is null and generation is null
            and released_at is null)
    ),
    constraint publication_nodes_ended check (
        (ended_at is not null or (stage <> 'converged' and stage <> 'failed'))
        and (ended_at is null or (stage <> 'waiting' and stage <> 'released' and stage <> 'skipped'))
    )
);
create index publication_nodes_stages on publication_nodes (publication, stage, position);

-- A draft that was published or discarded keeps its version, so that whoever read it writes over nobody's work.
create table drafts (
    org        text collate "C"   not null references orgs (id),
    layer      text collate "C"   not null,
    layer_of   text collate "C"   not null,
    state      text collate "C",            -- JSON; null: there is none
    based_on   bigint not null, -- a revision
    version    bigint not null,
    changed_by text collate "C"   not null,
    changed_at bigint not null,
    constraint drafts_pkey primary key (org, layer, layer_of),
    constraint drafts_layer check (layer = 'org' or layer = 'site' or layer = 'node'),
    constraint drafts_layer_of check ((layer = 'org') = (layer_of = '')),
    constraint drafts_numbers check (based_on >= 0 and version > 0)
);

-- The pins of each node, and how often they changed. Revision 0: the layer says nothing.
create table node_desired (
    node          text collate "C"   not null,
    org           text collate "C"   not null,
    site          text collate "C",            -- whose layer the site's pin is of
    generation    bigint not null,
    org_revision  bigint not null,
    site_revision bigint not null,
    node_revision bigint not null,
    changed_at    bigint not null,
    constraint node_desired_pkey primary key (node),
    constraint node_desired_pins check (
        generation >= 0 and org_revision >= 0 and site_revision >= 0 and node_revision >= 0
        and (site is not null or site_revision = 0)
        and (generation > 0 or (org_revision = 0 and site_revision = 0 and node_revision = 0))
    ),
    foreign key (org, node) references nodes (org, id),
    foreign key (org, site) references sites (org, key)
);
create index node_desired_of_org on node_desired (org, org_revision, node);
create index node_desired_of_site on node_desired (org, site, site_revision, node);
insert into node_desired (node, org, site, generation, org_revision, site_revision, node_revision, changed_at)
    select id, org, site, 0, 0, 0, 0, enrolled_at from nodes;

create table node_observed (
    node       text collate "C"   not null,
    org        text collate "C"   not null,
    generation bigint not null, -- the one that it has accepted
    standing   text collate "C"   not null,
    document   text collate "C"   not null, -- JSON: what it said
    heard_at   bigint not null,
    constraint node_observed_pkey primary key (node),
    constraint node_observed_generation check (generation >= 0),
    constraint node_observed_standing check (
        standing = 'converged' or standing = 'converging' or standing = 'drifted' or standing = 'failing'
    ),
    foreign key (org, node) references nodes (org, id)
);

create table secrets (
    org        text collate "C"   not null references orgs (id),
    name       text collate "C"   not null,
    version    bigint not null,
    sealed     bytea   not null, -- with a key that is not in the database
    changed_by text collate "C"   not null,
    changed_at bigint not null,
    constraint secrets_pkey primary key (org, name),
    constraint secrets_version check (version > 0)
);

-- Which secrets a revision refers to.
create table publication_secrets (
    publication text collate "C" not null references publications (id) on delete cascade,
    org         text collate "C" not null,
    secret      text collate "C" not null, -- no foreign key: revisions outlive it
    constraint publication_secrets_pkey primary key (publication, secret)
);
create index publication_secrets_of on publication_secrets (org, secret, publication);

create table reports (
    node        text collate "C"   not null,
    kind        text collate "C"   not null,
    subject     text collate "C"   not null, -- empty: the only one
    number      bigint not null, -- from 1, of its node, kind and subject
    org         text collate "C"   not null,
    taken_at    bigint not null, -- by the node's clock
    received_at bigint not null,
    source      text collate "C"   not null,
    facts       text collate "C"   not null, -- JSON
    newest      bigint not null, -- whether it is the newest of its node, kind and subject
    constraint reports_pkey primary key (node, kind, subject, number),
    constraint reports_numbers check (number > 0 and (newest = 0 or newest = 1)),
    foreign key (org, node) references nodes (org, id)
);
create unique index reports_newest on reports (node, kind, subject) where newest = 1;
create index reports_old on reports (received_at) where newest = 0;
