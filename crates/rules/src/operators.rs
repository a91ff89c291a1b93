//! The set of operators that a site believes, and how one set follows another: only a set that enough
//! members of the one before have signed takes its place, and its version is the next.

use crate::limits::OPERATORS_MAX;

/// A set as decisions see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rises by one with each set that follows.
    pub version: u64,
    /// How many of its members must sign the set that follows.
    pub needed: u32,
    /// How many members it has, each with a key of its own.
    pub members: usize,
}

/// Why a set is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has no members, or more than may be.
    #[error("a set of operators has 1 to {OPERATORS_MAX} members; this one has {0}")]
    Members(usize),
    /// Nobody, or more than there are, would have to sign the next.
    #[error("{needed} of {members} members cannot sign: say a number from 1 to {members}")]
    Needed {
        /// How many it says.
        needed: u32,
        /// How many there are.
        members: usize,
    },
    /// A first set has the version 1.
    #[error("a first set of operators has the version 1; this one has {0}")]
    NotFirst(u64),
    /// It does not follow the one that stands.
    #[error("the set of operators that stands has the version {current}; {next} does not follow it")]
    NotNext {
        /// The version that stands.
        current: u64,
        /// The one that was offered.
        next: u64,
    },
    /// Too few of those who must have signed it.
    #[error("{signed} of {needed} members who must sign a change of the operators have signed it")]
    TooFew {
        /// How many must.
        needed: u32,
        /// How many have.
        signed: usize,
    },
}

/// Whether a first set can be one. So many of its own members have signed it: that proves their keys.
pub fn begins(first: Shape, signed: usize) -> Result<(), Refusal> {
    stands(first)?;
    if first.version != 1 {
        return Err(Refusal::NotFirst(first.version));
    }
    enough(first.needed, signed)
}

/// Whether a set takes the place of the current one, of whose members so many have signed it.
pub fn follows(current: Shape, next: Shape, signed: usize) -> Result<(), Refusal> {
    stands(next)?;
    if Some(next.version) != current.version.checked_add(1) {
        return Err(Refusal::NotNext { current: current.version, next: next.version });
    }
    enough(current.needed, signed)
}

/// Whether a set has members of whom enough can sign the next.
pub fn stands(set: Shape) -> Result<(), Refusal> {
    let Shape { needed, members, .. } = set;
    if members == 0 || members > OPERATORS_MAX {
        return Err(Refusal::Members(members));
    }
    if needed == 0 || needed as usize > members {
        return Err(Refusal::Needed { needed, members });
    }
    Ok(())
}

fn enough(needed: u32, signed: usize) -> Result<(), Refusal> {
    if signed < needed as usize { Err(Refusal::TooFew { needed, signed }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_OF_THREE: Shape = Shape { version: 4, needed: 2, members: 3 };

    #[test]
    fn a_set_follows_by_the_word_of_enough_members_and_with_the_next_version() {
        let next = Shape { version: 5, needed: 1, members: 1 };
        assert_eq!(follows(TWO_OF_THREE, next, 2), Ok(()));
        assert_eq!(follows(TWO_OF_THREE, next, 1), Err(Refusal::TooFew { needed: 2, signed: 1 }));
        for version in [0, 3, 4, 6, u64::MAX] {
            let refused = Err(Refusal::NotNext { current: 4, next: version });
            assert_eq!(follows(TWO_OF_THREE, Shape { version, ..next }, 3), refused);
        }
        let last = Shape { version: u64::MAX, ..TWO_OF_THREE };
        assert!(follows(last, Shape { version: 0, ..next }, 3).is_err());
    }

    #[test]
    fn a_first_set_is_signed_by_those_whom_it_names() {
        let first = Shape { version: 1, ..TWO_OF_THREE };
        assert_eq!(begins(first, 2), Ok(()));
        assert_eq!(begins(first, 1), Err(Refusal::TooFew { needed: 2, signed: 1 }));
        assert_eq!(begins(TWO_OF_THREE, 3), Err(Refusal::NotFirst(4)));
    }

    #[test]
    fn a_set_has_members_of_whom_enough_can_sign() {
        for (needed, members, whole) in [(1, 1, true), (1, 0, false), (0, 3, false), (4, 3, false), (1, 17, false)] {
            let set = Shape { version: 1, needed, members };
            assert_eq!(begins(set, 20).is_ok(), whole, "{set:?}");
            assert_eq!(follows(TWO_OF_THREE, Shape { version: 5, ..set }, 20).is_ok(), whole, "{set:?}");
        }
    }
}
