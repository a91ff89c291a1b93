//! What somebody does, written down in the transaction in which it is done.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use sortie_rules::audit::{Action, canonical};
use sortie_rules::ids::{InviteId, NodeId, OrgId};
use sortie_rules::limits::AUDIT_ENTRY_BYTES_MAX;
use sortie_rules::time::Millis;
use sortie_store::audit::{self, NewEntry};
use sortie_store::{StoreError, Tx};
use sortie_wire::audit::{AuditActor, AuditEntry, AuditObject, AuditOutcome, AuditRefusal};
use sortie_wire::problem::ProblemCode;

use super::asking::Asking;
use crate::fault::Fault;
use crate::people::{Principal, Proof};

/// Something that is done, or that is refused.
#[derive(Debug, Clone)]
pub(crate) struct Act(AuditEntry);

/// Writes it down. It stands if the transaction at hand does.
pub(crate) async fn record(tx: &mut Tx, act: Act) -> Result<(), StoreError> {
    audit::insert(tx, act.entry()).await
}

impl Act {
    /// Somebody does what the route declares that they came to.
    pub(crate) fn by(who: &Principal, now: Millis) -> Result<Act, Fault> {
        let undeclared = || Fault::Broken("a verb acts whose route declares no action".to_owned());
        let asking = who.asking.as_ref().ok_or_else(undeclared)?;
        let session = match who.proof {
            Proof::Session(session) => Some(session),
            Proof::Token(_) | Proof::Provider(_) => None,
        };
        let actor = AuditActor { session, ..actor(&who.subject, &who.name) };
        Ok(Act::asked(asking, who.org, actor, now))
    }

    /// Somebody signs in, or fails to, who is known by this.
    pub(crate) fn by_subject(asking: &Asking, org: OrgId, (subject, name): (&str, &str), now: Millis) -> Act {
        Act::asked(asking, org, actor(subject, name), now)
    }

    /// Somebody comes in with an invite that this person made.
    pub(crate) fn by_invite(asking: &Asking, org: OrgId, (invite, made_by): (InviteId, &str), now: Millis) -> Act {
        Act::asked(asking, org, actor(&format!("invite:{invite}"), made_by), now)
    }

    /// A node tells what it has done.
    pub(crate) fn by_node(org: OrgId, action: Action, (node, name): (NodeId, &str), now: Millis) -> Act {
        Act::new(org, action, actor(&format!("node:{node}"), name), now)
    }

    /// The hub does it by itself.
    pub(crate) fn by_hub(org: OrgId, action: Action, now: Millis) -> Act {
        Act::new(org, action, actor("hub", "hub"), now)
    }

    fn asked(asking: &Asking, org: OrgId, actor: AuditActor, now: Millis) -> Act {
        let mut act = Act::new(org, asking.action, actor, now);
        act.0.address = asking.address;
        act.0.correlation_id = Some(asking.correlation_id.as_ref().to_owned());
        act
    }

    fn new(org: OrgId, action: Action, actor: AuditActor, now: Millis) -> Act {
        Act(AuditEntry {
            action: action.as_str().to_owned(),
            actor,
            address: None,
            at: now,
            changes: None,
            correlation_id: None,
            object: None,
            org,
            outcome: AuditOutcome::Done,
            refused: None,
        })
    }

    /// The same act in the chain of another org: the one that it is done to.
    pub(crate) fn in_org(mut self, org: OrgId) -> Act {
        self.0.org = org;
        self
    }

    /// Another action than the one that its route declares: what it leads to.
    pub(crate) fn leads_to(mut self, action: Action) -> Act {
        self.0.action = action.as_str().to_owned();
        self
    }

    /// It is done to this.
    pub(crate) fn on(mut self, kind: &str, id: impl ToString) -> Act {
        self.0.object = Some(AuditObject { id: id.to_string(), kind: kind.to_owned(), name: None });
        self
    }

    /// That has this name.
    pub(crate) fn named(mut self, name: &str) -> Act {
        if let Some(object) = &mut self.0.object {
            object.name = Some(name.to_owned());
        }
        self
    }

    /// This changes by it. No secrets, no payloads.
    pub(crate) fn changes(mut self, changes: Value) -> Act {
        self.0.changes = Some(changes);
        self
    }

    /// It is not done.
    pub(crate) fn refused(mut self, code: ProblemCode, omitted: u64) -> Act {
        self.0.outcome = AuditOutcome::Refused;
        self.0.refused = Some(AuditRefusal { code: code.as_str().to_owned(), omitted });
        self
    }

    /// In whose chain it comes.
    pub(super) fn org(&self) -> OrgId {
        self.0.org
    }

    /// The entry that is kept of it.
    pub(crate) fn entry(self) -> NewEntry {
        NewEntry::new(self.0.org, self.text())
    }

    /// The text of that entry, for acts that are noted elsewhere before they come into the log.
    pub(crate) fn text(self) -> String {
        written(self.0)
    }
}

/// The SHA-256 of something that is not itself written down, in hex.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes).as_ref())
}

/// The canonical text of an entry. If that is too long, the changes give way to what tells them from others.
fn written(mut entry: AuditEntry) -> String {
    let write = |entry: &AuditEntry| serde_json::to_string(entry).expect("an entry is plain data");
    let text = write(&entry);
    if text.len() <= AUDIT_ENTRY_BYTES_MAX {
        return text;
    }
    entry.changes = entry.changes.map(|changes| {
        let text = canonical(&changes);
        serde_json::json!({ "too_long": { "bytes": text.len(), "sha256": sha256_of(text.as_bytes()) } })
    });
    write(&entry)
}

fn actor(key: &str, name: &str) -> AuditActor {
    let by = match key.split_once(':') {
        Some(("oidc", _)) => "provider",
        Some((kind, _)) => kind,
        None => key,
    };
    AuditActor { by: by.to_owned(), key: key.to_owned(), name: name.to_owned(), session: None }
}

/// For the guard: nothing else makes requests that somebody came with.
impl Principal {
    /// The same, asking by this request.
    pub(crate) fn asking(self, asking: Option<Arc<Asking>>) -> Principal {
        Principal { asking, ..self }
    }
}

#[cfg(test)]
mod tests {
    use sortie_rules::ids::DEFAULT_ORG;

    use super::*;

    #[test]
    fn changes_that_are_too_long_are_told_by_their_hash() {
        let act = |bytes: usize| {
            let act = Act::by_hub(DEFAULT_ORG, Action::NodeChange, Millis(1)).on("node", 1);
            written(act.changes(serde_json::json!({ "labels": "x".repeat(bytes) })).0)
        };
        assert!(act(1000).contains("xxx"));
        let (one, other) = (act(AUDIT_ENTRY_BYTES_MAX), act(AUDIT_ENTRY_BYTES_MAX + 1));
        assert!(one.len() < 500 && one.contains("too_long") && one != other, "{one}");
        let value: Value = serde_json::from_str(&one).unwrap();
        assert_eq!(canonical(&value), one);
    }
}
