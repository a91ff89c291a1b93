//! Which next key set is believed by somebody who has one.

/// What was found of one link of a chain, held against the key set at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The version that it says it is.
    pub version: u64,
    /// Whether it says word for word what the set at hand says.
    pub says_the_same: bool,
    /// Whether a key of the set at hand has signed it.
    pub is_signed_by_ours: bool,
    /// Whether each signing key that it brings has signed it too.
    pub new_keys_signed: bool,
}

/// What to do with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is the set at hand.
    Stay,
    /// It is believed in place of the set at hand.
    Take,
}

/// Why a link is not believed. The set at hand stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefusal {
    /// It is older than the set at hand.
    #[error("the hub offers key set {offered}, which is older than {own}, the one at hand")]
    Older {
        /// What is offered.
        offered: u64,
        /// What is at hand.
        own: u64,
    },
    /// It has the version of the set at hand and says something else.
    #[error("the hub offers another key set {0} than the one at hand")]
    Forked(u64),
    /// Sets between the one at hand and this one are missing.
    #[error("the hub offers key set {offered} without the ones between it and {own}, the one at hand")]
    Gap {
        /// What is offered.
        offered: u64,
        /// What is at hand.
        own: u64,
    },
    /// None of our keys has signed it.
    #[error("no key of key set {own}, the one at hand, has signed key set {offered}")]
    Unsigned {
        /// What is offered.
        offered: u64,
        /// What is at hand.
        own: u64,
    },
    /// A key that it brings has not signed it.
    #[error("key set {0} brings a key whose holder has not signed it")]
    Unproven(u64),
}

impl LinkRefusal {
    /// The stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            LinkRefusal::Older { .. } => "keys_older",
            LinkRefusal::Forked(_) => "keys_forked",
            LinkRefusal::Gap { .. } => "keys_gap",
            LinkRefusal::Unsigned { .. } => "keys_unsigned",
            LinkRefusal::Unproven(_) => "keys_unproven",
        }
    }
}

/// Decides on one link. `own` is the version of the set at hand.
pub fn judge_link(own: u64, link: Link) -> Result<Step, LinkRefusal> {
    let offered = link.version;
    if offered < own {
        return Err(LinkRefusal::Older { offered, own });
    }
    if offered == own {
        return if link.says_the_same { Ok(Step::Stay) } else { Err(LinkRefusal::Forked(own)) };
    }
    if offered - own > 1 {
        return Err(LinkRefusal::Gap { offered, own });
    }
    if !link.is_signed_by_ours {
        return Err(LinkRefusal::Unsigned { offered, own });
    }
    if !link.new_keys_signed {
        return Err(LinkRefusal::Unproven(offered));
    }
    Ok(Step::Take)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Link = Link { version: 4, says_the_same: false, is_signed_by_ours: true, new_keys_signed: true };

    #[test]
    fn the_next_set_is_taken_if_a_key_at_hand_and_every_new_one_have_signed_it() {
        assert_eq!(judge_link(3, GOOD), Ok(Step::Take));
        let unsigned = Link { is_signed_by_ours: false, ..GOOD };
        assert_eq!(judge_link(3, unsigned), Err(LinkRefusal::Unsigned { offered: 4, own: 3 }));
        assert_eq!(judge_link(3, Link { new_keys_signed: false, ..GOOD }), Err(LinkRefusal::Unproven(4)));
    }

    #[test]
    fn an_older_another_or_a_later_set_is_refused_whoever_signed_it() {
        assert_eq!(judge_link(5, GOOD), Err(LinkRefusal::Older { offered: 4, own: 5 }));
        assert_eq!(judge_link(4, GOOD), Err(LinkRefusal::Forked(4)));
        assert_eq!(judge_link(4, Link { says_the_same: true, ..GOOD }), Ok(Step::Stay));
        assert_eq!(judge_link(2, GOOD), Err(LinkRefusal::Gap { offered: 4, own: 2 }));
        assert_eq!(judge_link(u64::MAX, GOOD), Err(LinkRefusal::Older { offered: 4, own: u64::MAX }));
    }
}
