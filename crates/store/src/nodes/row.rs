//! A node as it is read.

use std::collections::BTreeMap;

use sortie_rules::clocks::ClockState;
use sortie_rules::desired::{Standing, stands_now};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::liveness::Presence;
use sortie_rules::proofs::Proof;
use sortie_rules::time::{Millis, Span};

use crate::errors::StoreError;
use crate::row::Row;

/// The node that a guest lives on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRow {
    /// Its id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Whether it was shut out.
    pub is_revoked: bool,
}

/// One enrolled agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its id. Intent.
    pub id: NodeId,
    /// Whose it is. Intent.
    pub org: OrgId,
    /// Its name, unique within the org. Intent.
    pub name: String,
    /// The key of the site that it is at; the site exists. Intent.
    pub site: Option<String>,
    /// The node that it lives on, if it is a guest. Intent.
    pub host: Option<HostRow>,
    /// What sort of node it is. Intent.
    pub kind: String,
    /// Its labels. Intent.
    pub labels: BTreeMap<String, String>,
    /// The fingerprint of its key, which is its identity. Intent.
    pub key_fingerprint: String,
    /// Until when its newest certificate is valid. Intent.
    pub certificate_until: Millis,
    /// When it enrolled, or enrolled anew with another key. Intent.
    pub enrolled_at: Millis,
    /// When it was shut out, if it was. Intent.
    pub revoked_at: Option<Millis>,
    /// What was last said of its presence. Fact.
    pub presence: Presence,
    /// Since when that is said. Fact.
    pub presence_at: Millis,
    /// When it was last heard, to within a flush. Fact.
    pub heard_at: Option<Millis>,
    /// From when its silence counts: `heard_at`, or the enrolment, moved forward over the hub's own
    /// absences. Decisions use this one. Fact.
    pub silent_since: Millis,
    /// The highest delivery that was handed out since it enrolled. Fact.
    pub delivered: u64,
    /// The highest delivery that it has on its disk. Fact.
    pub acknowledged: u64,
    /// With what it proved who it is, when it last did; nothing for a client of the trust API. Fact.
    pub proof: Option<Proof>,
    /// What was last said of its clock. Fact.
    pub clock: Option<ClockState>,
    /// By how many milliseconds it was ahead of the hub's when that was first said. Fact.
    pub clock_skew_ms: Option<i64>,
    /// Since when it gets no tasks because two agents came with its key. Intent.
    pub quarantined_at: Option<Millis>,
    /// The key set of the hub that it says it has; `None` if its client follows none. Fact; written by
    /// `node_keys`.
    pub keys_version: Option<u64>,
    /// The fingerprint of the authority of its certificate; empty if that is the first. Fact, as above.
    pub issued_by: Option<String>,
    /// What it says of itself, as JSON. Fact; never used to decide.
    pub facts: Option<String>,
    /// Silence after which it is stale, if not the default. Intent.
    pub stale_after: Option<Span>,
    /// Silence after which it is down, if not the default. Intent.
    pub down_after: Option<Span>,
    /// How it stands to what is meant for it by now; nothing if nothing is, it was shut out, or it is a client of the
    /// trust API, which knows of none. A fact, held against intent; written by `desired`.
    pub standing: Option<Standing>,
}

/// What people may change about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIntent {
    /// The key of the site that it is at; the site exists.
    pub site: Option<String>,
    /// The node that it lives on: one of the org that lives on none.
    pub host: Option<NodeId>,
    /// What sort of node it is.
    pub kind: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Silence after which it is stale, if not the default.
    pub stale_after: Option<Span>,
    /// Silence after which it is down, if not the default; at least `stale_after`.
    pub down_after: Option<Span>,
}

/// What of a node is read, and from where, beginning with one of the tables; joins follow.
macro_rules! node_columns {
    () => {
        "select n.id, n.org, n.name, n.site, n.kind, n.labels, n.key_fingerprint, n.certificate_until, n.enrolled_at,
            n.revoked_at, s.presence, s.presence_at, s.heard_at, s.silent_since, s.delivered, s.acknowledged,
            s.proof, s.clock, s.clock_skew_ms, n.quarantined_at, f.facts,
            n.stale_after, n.down_after, k.keys_version, k.issued_by,
            h.id as host, h.name as host_name, h.revoked_at as host_revoked_at,
            d.generation as meant, o.generation as accepted, o.standing
        from "
    };
}
pub(super) use node_columns;

/// What belongs to a node beside its own row: first what a list may be narrowed by.
macro_rules! node_joins {
    () => {
        "join node_signs s on s.node = n.id
            left join node_desired d on d.node = n.id
            left join node_observed o on o.org = n.org and o.node = n.id
            left join node_facts f on f.node = n.id left join node_keys k on k.node = n.id
            left join nodes h on h.id = n.host "
    };
}
pub(super) use node_joins;

/// The beginning of every query for whole nodes; a `where` follows.
macro_rules! select_nodes {
    () => {
        concat!(crate::nodes::row::node_columns!(), "nodes n ", crate::nodes::row::node_joins!())
    };
}
pub(super) use select_nodes;

pub(super) fn read(row: Row) -> Result<NodeRow, StoreError> {
    let mut row = row.columns("nodes");
    let mut node = NodeRow {
        id: row.id("id")?,
        org: row.id("org")?,
        name: row.text("name")?,
        site: row.text_or_none("site")?,
        kind: row.text("kind")?,
        labels: row.labels("labels")?,
        key_fingerprint: row.text("key_fingerprint")?,
        certificate_until: row.millis("certificate_until")?,
        enrolled_at: row.millis("enrolled_at")?,
        revoked_at: row.millis_or_none("revoked_at")?,
        presence: row.word("presence", Presence::parse)?,
        presence_at: row.millis("presence_at")?,
        heard_at: row.millis_or_none("heard_at")?,
        silent_since: row.millis("silent_since")?,
        delivered: row.number("delivered")?,
        acknowledged: row.number("acknowledged")?,
        proof: row.text_or_none("proof")?.as_deref().and_then(Proof::parse),
        clock: row.text_or_none("clock")?.as_deref().and_then(ClockState::parse),
        clock_skew_ms: row.int_or_none("clock_skew_ms")?,
        quarantined_at: row.millis_or_none("quarantined_at")?,
        facts: row.text_or_none("facts")?,
        stale_after: row.span_or_none("stale_after")?,
        down_after: row.span_or_none("down_after")?,
        keys_version: row.number_or_none("keys_version")?,
        issued_by: row.text_or_none("issued_by")?,
        host: {
            let (id, name) = (row.id_or_none("host")?, row.text_or_none("host_name")?);
            let is_revoked = row.millis_or_none("host_revoked_at")?.is_some();
            id.zip(name).map(|(id, name)| HostRow { id, name, is_revoked })
        },
        standing: None,
    };
    let meant = row.number_or_none("meant")?.unwrap_or(0);
    let accepted = row.number_or_none("accepted")?;
    let said = accepted.zip(row.word_or_none("standing", Standing::parse)?);
    let is_asked = node.revoked_at.is_none() && !node.key_fingerprint.starts_with("key:");
    node.standing = stands_now(said, meant).filter(|_| is_asked);
    Ok(node)
}
