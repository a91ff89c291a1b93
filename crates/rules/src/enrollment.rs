//! Who may enrol with an invite.

use crate::rotation::{Member, Ring, State, What};
use crate::time::Millis;

/// What is known of an invite when someone comes with its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Until when it can be used.
    pub expires_at: Millis,
    /// Withdrawn by an operator.
    pub revoked: bool,
    /// The fingerprint of the key that has enrolled with it, if one has.
    pub used_by_key: Option<String>,
    /// Whether it may give a node that exists a new key.
    pub replace: bool,
}

/// What stands already under the invited name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'k> {
    /// The fingerprint of the key that stands for the node now.
    pub key: &'k str,
    /// Shut out by an operator.
    pub revoked: bool,
}

/// Why an invite does not let someone in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its time has passed.
    #[error("this invite has expired; ask for a new one")]
    Expired,
    /// An operator withdrew it.
    #[error("this invite was withdrawn; ask for a new one")]
    Revoked,
    /// Another key enrolled with it.
    #[error("this invite has been used by another agent; each invite admits one")]
    Used,
    /// The same key enrolled with it, and does not stand for the node any more.
    #[error("the node that enrolled with this invite was revoked or replaced since; ask for a new one")]
    Void,
    /// The node's name is taken.
    #[error("a node of this name exists; an invite made with --replace may give it a new key")]
    NodeExists,
}

/// How someone is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// As a node that did not exist.
    New,
    /// As a node that exists, with a new key from now on.
    Replace,
    /// As before: the same key came again because the answer was lost.
    Again,
}

/// Whether an invite names an authority that is gone, so that nobody who has it would believe the hub. While an
/// authority is leaving it may be the one that the invite names; with a certificate of the operator's the hub is
/// known by another.
pub fn is_void(ring: &Ring, made_at: Millis) -> bool {
    let is_leaving = |member: &Member| matches!(member.state, State::Leaving { .. });
    let in_doubt = ring.of(What::Authority).any(is_leaving) || ring.of(What::Given).next().is_some();
    !in_doubt && ring.current(What::Authority).is_some_and(|authority| made_at < authority.state.since())
}

/// Decides whether the holder of `key` may enrol. The secret has been checked already. `there` is the
/// node of the invited name, if there is one.
///
/// The same key is let in again even after the expiry: its enrolment stands, only the answer was lost.
pub fn admit(invite: &Invite, key: &str, there: Option<Standing<'_>>, now: Millis) -> Result<Admission, Refusal> {
    if invite.revoked {
        return Err(Refusal::Revoked);
    }
    match &invite.used_by_key {
        Some(used) if used == key => {
            let stands = there.is_some_and(|node| node.key == key && !node.revoked);
            return if stands { Ok(Admission::Again) } else { Err(Refusal::Void) };
        }
        Some(_) => return Err(Refusal::Used),
        None => {}
    }
    if now >= invite.expires_at {
        return Err(Refusal::Expired);
    }
    match (there.is_some(), invite.replace) {
        (false, _) => Ok(Admission::New),
        (true, true) => Ok(Admission::Replace),
        (true, false) => Err(Refusal::NodeExists),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(key: &str) -> Option<Standing<'_>> {
        Some(Standing { key, revoked: false })
    }

    fn open() -> Invite {
        Invite { expires_at: Millis(100), revoked: false, used_by_key: None, replace: false }
    }

    #[test]
    fn an_open_invite_admits_one_key_and_that_key_again() {
        assert_eq!(admit(&open(), "k", None, Millis(99)), Ok(Admission::New));
        let used = Invite { used_by_key: Some("k".into()), ..open() };
        assert_eq!(admit(&used, "k", standing("k"), Millis(5000)), Ok(Admission::Again));
        assert_eq!(admit(&used, "other", standing("k"), Millis(50)), Err(Refusal::Used));
    }

    #[test]
    fn expired_and_withdrawn_invites_admit_nobody() {
        assert_eq!(admit(&open(), "k", None, Millis(100)), Err(Refusal::Expired));
        let revoked = Invite { revoked: true, used_by_key: Some("k".into()), ..open() };
        assert_eq!(admit(&revoked, "k", None, Millis(1)), Err(Refusal::Revoked));
    }

    #[test]
    fn a_node_that_exists_is_taken_over_only_if_the_invite_says_so() {
        assert_eq!(admit(&open(), "k", standing("s"), Millis(1)), Err(Refusal::NodeExists));
        assert_eq!(admit(&Invite { replace: true, ..open() }, "k", standing("s"), Millis(1)), Ok(Admission::Replace));
    }

    #[test]
    fn a_key_that_does_not_stand_for_its_node_any_more_is_not_let_in_again() {
        let used = Invite { used_by_key: Some("k".into()), replace: true, ..open() };
        assert_eq!(admit(&used, "k", standing("s"), Millis(1)), Err(Refusal::Void));
        assert_eq!(admit(&used, "k", Some(Standing { key: "k", revoked: true }), Millis(1)), Err(Refusal::Void));
        assert_eq!(admit(&used, "k", None, Millis(1)), Err(Refusal::Void));
    }

    #[test]
    fn an_invite_is_void_when_the_authority_that_it_names_is_gone() {
        let first = Ring::first("d1", "a1", Millis(10));
        assert!(!is_void(&first, Millis(10)));
        let coming = first.introduce(What::Authority, "a2", false, Millis(20)).unwrap();
        let leaving = coming.begin(Millis(30));
        assert!(!is_void(&coming, Millis(15)) && !is_void(&leaving, Millis(15)), "both are believed");
        let gone = leaving.finish(0, false, Millis(40)).unwrap();
        assert!(is_void(&gone, Millis(15)) && is_void(&gone, Millis(29)) && !is_void(&gone, Millis(30)));
        let next = gone.introduce(What::Authority, "a3", false, Millis(50)).unwrap();
        assert!(is_void(&next, Millis(15)) && !is_void(&next, Millis(45)));
        let given = gone.introduce(What::Given, "g1", true, Millis(50)).unwrap();
        assert!(!is_void(&given, Millis(15)), "the hub shows another certificate now");
    }
}
