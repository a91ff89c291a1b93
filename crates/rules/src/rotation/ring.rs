//! The hub's keys and what may become of each.
//!
//! A key that is `coming` is believed by every node that has heard of it and not used yet; the `current` one
//! is used; one that is `leaving` is believed still and not used any more; one that is gone is not in the
//! ring. Only what is believed stands in a key set, so a set's version rises when something comes or goes,
//! and not when another key begins to be used.

use serde::{Deserialize, Serialize};

use crate::limits::KEYS_PER_SET_MAX;
use crate::time::Millis;

/// What sort of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It signs deliveries and key sets.
    Delivery,
    /// A certificate authority of the hub's own: it vouches for nodes, and for the hub.
    Authority,
    /// An authority that vouches for a certificate which the hub's operator gave it.
    Given,
}

impl What {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            What::Delivery => "delivery",
            What::Authority => "authority",
            What::Given => "given",
        }
    }
}

/// How far a key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum State {
    /// Announced, and not used yet.
    Coming {
        /// Since when.
        since: Millis,
    },
    /// In use.
    Current {
        /// Since when.
        since: Millis,
    },
    /// Believed, and not used any more.
    Leaving {
        /// Since when.
        since: Millis,
    },
}

impl State {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Coming { .. } => "coming",
            State::Current { .. } => "current",
            State::Leaving { .. } => "leaving",
        }
    }

    /// Since when it is so.
    pub const fn since(self) -> Millis {
        match self {
            State::Coming { since } | State::Current { since } | State::Leaving { since } => since,
        }
    }
}

/// One key of the ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What sort of key.
    pub what: What,
    /// Its id: of a delivery key the key's, of an authority its certificate's fingerprint.
    pub id: String,
    /// The first key set that it stands in.
    pub version: u64,
    /// How far it has come.
    pub state: State,
}

/// All keys that are believed, with the version of the key set that says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// The newest key set's version.
    pub version: u64,
    /// The keys, in the order in which they came.
    pub members: Vec<Member>,
}

/// Why the ring stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingRefusal {
    /// Another one of this sort is on its way.
    #[error("another one is announced already and not in use yet")]
    Announced,
    /// It is in the ring.
    #[error("it is believed already")]
    Known,
    /// There is no room.
    #[error("at most {KEYS_PER_SET_MAX} keys and authorities are believed at a time; finish the rotations before")]
    Full,
    /// Nodes would be left behind.
    #[error("nodes lag")]
    Lagging,
}

/// What the hub knows of a node's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeKeys<'n> {
    /// The key set that it says it has.
    pub version: u64,
    /// The authority that issued its newest certificate.
    pub issued_by: &'n str,
}

/// Why a node could not do without what is leaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// It does not believe what is used from now on.
    Keys,
    /// Its certificate comes from an authority that is leaving.
    Certificate,
}

/// So much room certificates of the operator's leave for keys and authorities.
const ROOM_FOR_KEYS: usize = 4;

impl Ring {
    /// The first ring: both in use.
    pub fn first(delivery: &str, authority: &str, now: Millis) -> Ring {
        let member =
            |what, id: &str| Member { what, id: id.to_owned(), version: 1, state: State::Current { since: now } };
        Ring { version: 1, members: vec![member(What::Delivery, delivery), member(What::Authority, authority)] }
    }

    /// Brings a new key in: announced, or in use `at_once`.
    pub fn introduce(&self, what: What, id: &str, at_once: bool, now: Millis) -> Result<Ring, RingRefusal> {
        if self.members.iter().any(|member| member.id == id) {
            return Err(RingRefusal::Known);
        }
        let mut next = self.clone();
        if what == What::Given {
            next.make_room_for_given();
        }
        if next.members.len() >= KEYS_PER_SET_MAX {
            return Err(RingRefusal::Full);
        }
        if !at_once && self.coming(what).is_some() {
            return Err(RingRefusal::Announced);
        }
        next.version += 1;
        if at_once {
            next.retire(what, now);
        }
        let state = if at_once { State::Current { since: now } } else { State::Coming { since: now } };
        next.members.push(Member { what, id: id.to_owned(), version: next.version, state });
        Ok(next)
    }

    /// Uses what was announced. Who believes what stays the same, and so does the version.
    #[must_use]
    pub fn begin(&self, now: Millis) -> Ring {
        let mut next = self.clone();
        for what in [What::Delivery, What::Authority, What::Given] {
            let Some(coming) = next.members.iter().position(|member| member.what == what && member.is_coming()) else {
                continue;
            };
            let mut begun = next.members.remove(coming);
            next.retire(what, now);
            begun.state = State::Current { since: now };
            next.members.insert(coming, begun);
        }
        next
    }

    /// Uses again what is believed already, such as a certificate of the operator's that comes back.
    #[must_use]
    pub fn use_again(&self, id: &str, now: Millis) -> Ring {
        let mut next = self.clone();
        let Some(at) = next.members.iter().position(|member| member.id == id) else { return next };
        if matches!(next.members[at].state, State::Current { .. }) {
            return next;
        }
        next.retire(next.members[at].what, now);
        next.members[at].state = State::Current { since: now };
        next
    }

    /// Uses nothing of this sort any more.
    #[must_use]
    pub fn without(&self, what: What, now: Millis) -> Ring {
        let mut next = self.clone();
        next.retire(what, now);
        next
    }

    /// Takes out what is not used any more; what was announced begins before. Refused while nodes lag,
    /// unless it is forced. A ring in which nothing comes or goes stays as it is.
    pub fn finish(&self, lagging: u64, force: bool, now: Millis) -> Result<Ring, RingRefusal> {
        if self.is_settled() {
            return Ok(self.clone());
        }
        if lagging > 0 && !force {
            return Err(RingRefusal::Lagging);
        }
        let mut next = self.begin(now);
        next.members.retain(|member| !member.is_leaving());
        next.version += 1;
        Ok(next)
    }

    /// Whether nothing comes and nothing goes.
    pub fn is_settled(&self) -> bool {
        self.members.iter().all(|member| !member.is_coming() && !member.is_leaving())
    }

    /// The one of this sort that is in use.
    pub fn current(&self, what: What) -> Option<&Member> {
        self.members.iter().find(|member| member.what == what && matches!(member.state, State::Current { .. }))
    }

    /// The one of this sort that is announced.
    pub fn coming(&self, what: What) -> Option<&Member> {
        self.members.iter().find(|member| member.what == what && member.is_coming())
    }

    /// The authority that vouches for nodes: the newest, from its announcement on.
    pub fn issuer(&self) -> Option<&Member> {
        self.coming(What::Authority).or_else(|| self.current(What::Authority))
    }

    /// All of this sort.
    pub fn of(&self, what: What) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.what == what)
    }

    /// The oldest key set with which a node believes all that is in use when what comes has begun.
    pub fn needed(&self) -> u64 {
        let used = |what| self.coming(what).or_else(|| self.current(what)).map_or(1, |member| member.version);
        [What::Delivery, What::Authority, What::Given].into_iter().map(used).max().unwrap_or(1)
    }

    /// Whether a node could not do without what is leaving, and why.
    pub fn lag(&self, node: NodeKeys<'_>) -> Option<Lag> {
        if node.version < self.needed() {
            return Some(Lag::Keys);
        }
        let issuer = self.issuer()?;
        // A node that has its certificate from before authorities were counted has it from the first.
        let has_it = issuer.version == 1 || issuer.id == node.issued_by;
        (!has_it).then_some(Lag::Certificate)
    }

    /// A certificate of the operator's changes by itself, and nobody finishes that: the oldest of those that are
    /// not used any more go, before they leave no room for a key.
    fn make_room_for_given(&mut self) {
        let is_over = |member: &Member| member.what == What::Given && member.is_leaving();
        while self.members.len() + ROOM_FOR_KEYS >= KEYS_PER_SET_MAX
            && let Some(oldest) = self.members.iter().position(is_over)
        {
            self.members.remove(oldest);
        }
    }

    fn retire(&mut self, what: What, now: Millis) {
        for member in self.members.iter_mut().filter(|member| member.what == what && !member.is_leaving()) {
            member.state = State::Leaving { since: now };
        }
    }
}

impl Member {
    fn is_coming(&self) -> bool {
        matches!(self.state, State::Coming { .. })
    }

    fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Ring {
        Ring::first("d1", "a1", Millis(1))
    }

    fn states(ring: &Ring) -> String {
        let word = |member: &Member| format!("{}:{}", member.id, member.state.as_str());
        ring.members.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_key_is_announced_then_used_then_alone() {
        let announced = first().introduce(What::Delivery, "d2", false, Millis(2)).unwrap();
        assert_eq!((announced.version, states(&announced).as_str()), (2, "d1:current a1:current d2:coming"));
        assert_eq!(announced.introduce(What::Delivery, "d3", false, Millis(3)), Err(RingRefusal::Announced));
        let begun = announced.begin(Millis(3));
        assert_eq!((begun.version, states(&begun).as_str()), (2, "d1:leaving a1:current d2:current"));
        assert_eq!(begun.begin(Millis(4)), begun, "twice is once");
        let finished = begun.finish(0, false, Millis(4)).unwrap();
        assert_eq!((finished.version, states(&finished).as_str()), (3, "a1:current d2:current"));
        assert_eq!(finished.finish(9, false, Millis(5)), Ok(finished.clone()), "there is nothing to finish");
    }

    #[test]
    fn an_emergency_uses_the_key_at_once_and_keeps_the_others_believed() {
        let announced = first().introduce(What::Delivery, "d2", false, Millis(2)).unwrap();
        let urgent = announced.introduce(What::Delivery, "d3", true, Millis(3)).unwrap();
        assert_eq!(states(&urgent), "d1:leaving a1:current d2:leaving d3:current");
        assert_eq!(urgent.current(What::Delivery).unwrap().id, "d3");
        let finished = urgent.finish(1, true, Millis(4)).unwrap();
        assert_eq!(states(&finished), "a1:current d3:current");
    }

    #[test]
    fn finishing_is_refused_while_nodes_lag_and_takes_what_was_announced_along() {
        let announced = first().introduce(What::Authority, "a2", false, Millis(2)).unwrap();
        assert_eq!(announced.finish(1, false, Millis(3)), Err(RingRefusal::Lagging));
        assert_eq!(states(&announced.finish(0, false, Millis(3)).unwrap()), "d1:current a2:current");
        assert_eq!(announced.finish(1, true, Millis(3)), announced.finish(0, false, Millis(3)));
    }

    #[test]
    fn both_sorts_rotate_beside_each_other() {
        let both = first().introduce(What::Delivery, "d2", false, Millis(2)).unwrap();
        let both = both.introduce(What::Authority, "a2", false, Millis(2)).unwrap().begin(Millis(3));
        assert_eq!((both.version, both.needed()), (3, 3));
        assert_eq!(states(&both), "d1:leaving a1:leaving d2:current a2:current");
    }

    #[test]
    fn a_certificate_that_the_operator_gives_comes_and_goes() {
        let given = first().introduce(What::Given, "g1", true, Millis(2)).unwrap();
        let another = given.introduce(What::Given, "g2", true, Millis(3)).unwrap();
        assert_eq!(states(&another), "d1:current a1:current g1:leaving g2:current");
        assert_eq!(states(&another.use_again("g1", Millis(4))), "d1:current a1:current g1:current g2:leaving");
        assert_eq!(another.use_again("g2", Millis(4)), another);
        assert_eq!(states(&another.without(What::Given, Millis(4))), "d1:current a1:current g1:leaving g2:leaving");
    }

    #[test]
    fn a_ring_has_its_end_and_no_key_twice() {
        let mut ring = first();
        assert_eq!(ring.introduce(What::Delivery, "d1", true, Millis(2)), Err(RingRefusal::Known));
        for n in 0..KEYS_PER_SET_MAX - 2 {
            ring = ring.introduce(What::Delivery, &format!("x{n}"), true, Millis(2)).unwrap();
        }
        assert_eq!(ring.introduce(What::Authority, "a9", true, Millis(2)), Err(RingRefusal::Full));
        assert!(ring.finish(0, false, Millis(3)).unwrap().introduce(What::Authority, "a9", true, Millis(4)).is_ok());
    }

    #[test]
    fn a_node_lags_that_lacks_a_key_in_use_or_has_its_certificate_from_the_one_before() {
        let node = |version, issued_by| NodeKeys { version, issued_by };
        let settled = first();
        assert_eq!(settled.lag(node(1, "a1")), None);
        assert_eq!(settled.lag(node(1, "")), None, "one from before this was counted");
        let announced = settled.introduce(What::Authority, "a2", false, Millis(2)).unwrap();
        assert_eq!(announced.lag(node(1, "a1")), Some(Lag::Keys));
        assert_eq!(announced.lag(node(2, "a1")), Some(Lag::Certificate));
        assert_eq!(announced.lag(node(2, "a2")), None);
        let finished = announced.finish(1, true, Millis(3)).unwrap();
        assert_eq!(finished.lag(node(2, "a2")), None, "it lacks nothing that is used");
        assert_eq!(finished.lag(node(1, "a1")), Some(Lag::Keys));
    }
}
