//! An operation's life at the hub, from its proposal until enough operators have signed it.

use crate::time::Millis;

/// Where an operation stands that is not a task yet, or not any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Operators have yet to sign it.
    AwaitingSignature,
    /// Enough have signed it; its task says the rest.
    Released,
    /// Somebody decided that it shall not be.
    Rejected,
    /// Too few signed it in time.
    Expired,
}

impl Stage {
    /// All of them.
    pub const ALL: [Stage; 4] = [Stage::AwaitingSignature, Stage::Released, Stage::Rejected, Stage::Expired];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::AwaitingSignature => "awaiting_signature",
            Stage::Released => "released",
            Stage::Rejected => "rejected",
            Stage::Expired => "expired",
        }
    }

    /// The stage of a word.
    pub fn parse(word: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// A proposed operation as decisions see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// Where it stands.
    pub stage: Stage,
    /// How many operators have signed it.
    pub signed: u32,
    /// How many shall.
    pub wanted: u32,
    /// When it expires if that has not happened.
    pub ends_at: Millis,
}

impl Proposal {
    /// Where it stands at this time, whether or not that was written down.
    pub fn stage_at(self, now: Millis) -> Stage {
        expire(self, now).map_or(self.stage, |expired| expired.stage)
    }
}

/// Why it stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    /// It waits for signatures no more.
    #[error("the operation waits for signatures no more (it is {})", .0.as_str())]
    Over(Stage),
    /// Its time has not passed.
    #[error("the operation has not expired")]
    NotExpired,
}

/// Another operator has signed a text that holds until `expires_at`: with the last signature that is wanted the
/// operation is released. Until then it waits no longer than the text holds, since whoever signs next signs the
/// same one.
pub fn sign(proposal: Proposal, expires_at: Millis, now: Millis) -> Result<Proposal, NotChanged> {
    waiting(proposal, now)?;
    let signed = proposal.signed + 1;
    let stage = if signed >= proposal.wanted { Stage::Released } else { Stage::AwaitingSignature };
    Ok(Proposal { stage, signed, ends_at: proposal.ends_at.min(expires_at), ..proposal })
}

/// Somebody decides that it shall not be.
pub fn reject(proposal: Proposal, now: Millis) -> Result<Proposal, NotChanged> {
    waiting(proposal, now)?;
    Ok(Proposal { stage: Stage::Rejected, ..proposal })
}

/// Its time has passed.
pub fn expire(proposal: Proposal, now: Millis) -> Result<Proposal, NotChanged> {
    match proposal.stage {
        Stage::AwaitingSignature if now >= proposal.ends_at => Ok(Proposal { stage: Stage::Expired, ..proposal }),
        Stage::AwaitingSignature => Err(NotChanged::NotExpired),
        over => Err(NotChanged::Over(over)),
    }
}

fn waiting(proposal: Proposal, now: Millis) -> Result<(), NotChanged> {
    match proposal.stage {
        Stage::AwaitingSignature if now < proposal.ends_at => Ok(()),
        Stage::AwaitingSignature => Err(NotChanged::Over(Stage::Expired)),
        over => Err(NotChanged::Over(over)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROPOSED: Proposal = Proposal { stage: Stage::AwaitingSignature, signed: 0, wanted: 2, ends_at: Millis(10) };

    #[test]
    fn the_last_signature_that_is_wanted_releases_it() {
        let once = sign(PROPOSED, Millis(99), Millis(1)).unwrap();
        assert_eq!((once.stage, once.signed, once.ends_at), (Stage::AwaitingSignature, 1, Millis(10)));
        let twice = sign(once, Millis(99), Millis(2)).unwrap();
        assert_eq!((twice.stage, twice.signed), (Stage::Released, 2));
    }

    #[test]
    fn it_waits_no_longer_than_what_was_signed_first_holds() {
        let once = sign(PROPOSED, Millis(5), Millis(1)).unwrap();
        assert_eq!((once.ends_at, once.stage_at(Millis(4))), (Millis(5), Stage::AwaitingSignature));
        assert_eq!(once.stage_at(Millis(5)), Stage::Expired);
        assert_eq!(sign(once, Millis(5), Millis(5)), Err(NotChanged::Over(Stage::Expired)));
    }

    #[test]
    fn what_is_over_stays_so() {
        let sign = |proposal, now| sign(proposal, Millis(999), now);
        for stage in [Stage::Released, Stage::Rejected, Stage::Expired] {
            let over = Proposal { stage, ..PROPOSED };
            for after in [sign(over, Millis(99)), reject(over, Millis(99)), expire(over, Millis(99))] {
                assert_eq!(after, Err(NotChanged::Over(stage)));
            }
            assert_eq!(over.stage_at(Millis(99)), stage);
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        }
    }

    #[test]
    fn it_waits_until_its_end_and_not_beyond() {
        assert_eq!(expire(PROPOSED, Millis(9)), Err(NotChanged::NotExpired));
        assert_eq!(expire(PROPOSED, Millis(10)).unwrap().stage, Stage::Expired);
        assert_eq!(sign(PROPOSED, Millis(99), Millis(10)), Err(NotChanged::Over(Stage::Expired)));
        assert_eq!(reject(PROPOSED, Millis(9)).unwrap().stage, Stage::Rejected);
    }
}
