//! Which generation an agent takes: newer ones, each once, and never one from the past.

use crate::ids::NodeId;

/// What an agent has accepted last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which generation; 0 if none was.
    pub generation: u64,
    /// The SHA-256 of what was signed, in hex; empty if none was.
    pub digest: String,
}

/// What is offered to it, once the signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'o> {
    /// For whom.
    pub node: NodeId,
    /// Which generation.
    pub generation: u64,
    /// The SHA-256 of what was signed, in hex.
    pub digest: &'o str,
}

/// What becomes of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next state.
    Take,
    /// It is accepted already.
    Known,
}

/// Why an agent does not take a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is another node's.
    #[error("the desired state is for the node {0}, and not for this one")]
    OtherNode(NodeId),
    /// A newer one was accepted before.
    #[error("the desired state is of generation {offered}, and generation {accepted} was accepted before")]
    Older {
        /// The one that is offered.
        offered: u64,
        /// The one that was accepted.
        accepted: u64,
    },
    /// Another state of this generation was accepted before.
    #[error("another desired state of generation {0} was accepted before")]
    Another(u64),
}

impl Refused {
    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refused::OtherNode(_) => "other_node",
            Refused::Older { .. } => "generation_back",
            Refused::Another(_) => "generation_twice",
        }
    }
}

/// Whether a node takes what is offered.
pub fn judge(me: NodeId, accepted: &Accepted, offer: Offer<'_>) -> Result<Verdict, Refused> {
    if offer.node != me {
        return Err(Refused::OtherNode(offer.node));
    }
    match offer.generation.cmp(&accepted.generation) {
        std::cmp::Ordering::Greater => Ok(Verdict::Take),
        std::cmp::Ordering::Equal if offer.digest == accepted.digest => Ok(Verdict::Known),
        std::cmp::Ordering::Equal => Err(Refused::Another(offer.generation)),
        std::cmp::Ordering::Less => Err(Refused::Older { offered: offer.generation, accepted: accepted.generation }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use uuid::Uuid;

    #[test]
    fn a_generation_is_taken_once_and_only_forwards() {
        let me: NodeId = Id::from_uuid(Uuid::from_u128(1));
        let accepted = Accepted { generation: 5, digest: "aa".to_owned() };
        let offer = |generation, digest| Offer { node: me, generation, digest };
        assert_eq!(judge(me, &accepted, offer(6, "bb")), Ok(Verdict::Take));
        assert_eq!(judge(me, &accepted, offer(5, "aa")), Ok(Verdict::Known));
        assert_eq!(judge(me, &accepted, offer(5, "bb")), Err(Refused::Another(5)));
        let older = Refused::Older { offered: 4, accepted: 5 };
        assert_eq!(judge(me, &accepted, offer(4, "aa")), Err(older));
        let other = Id::from_uuid(Uuid::from_u128(2));
        let stranger = Offer { node: other, generation: 6, digest: "bb" };
        assert_eq!(judge(me, &accepted, stranger), Err(Refused::OtherNode(other)));
    }
}
