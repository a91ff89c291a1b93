//! Whether a delivery may be taken: the checks of an agent, in their order, each with a word of its own.
//!
//! Size and signature come first and need the bytes; what is decided here is decided from a message that
//! a key of the hub's has signed. The nonce of a delivery is the agent's own: each wait has a start and a
//! sequence number that no other wait has, and a delivery answers one wait. What answers another is an
//! old message, however it came here. The number guards the ledger: see [`crate::ledger`].

use std::fmt;

use crate::ids::{BootId, NodeId};
use crate::limits::{COUNT_MAX, DELIVERY_AHEAD_MAX, DELIVERY_LIFE_MAX, TASK_PAYLOAD_BYTES_MAX};
use crate::time::{Millis, Span};

/// Why a whole delivery is refused: nothing of it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refused {
    /// The answer is larger than a delivery may be.
    TooLarge,
    /// The answer is no signed envelope.
    NotAnEnvelope,
    /// The envelope holds another kind of message.
    OtherType,
    /// Nobody has signed it.
    Unsigned,
    /// No key that is trusted here has signed it.
    UnknownKey,
    /// The signature does not fit the message.
    BadSignature,
    /// The hub has signed it, and it is no delivery.
    NotADelivery,
    /// It is for another node.
    OtherNode,
    /// It answers another wait: an old delivery that was played again.
    OtherWait,
    /// It would be valid for longer than any delivery, or ends before it begins.
    BadDates,
    /// Its number is below what the wait that it answers has acknowledged.
    NumberBack,
    /// A count or a size in it is beyond all limits.
    OutOfLimits,
    /// Its time has passed.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is in a lower version of the protocol than was spoken with the hub before.
    ProtocolDowngraded,
    /// A delivery of this number, or a later one, was taken before, and this one carries other work.
    NumberTaken,
}

impl Refused {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [Refused; 16] = [
        Refused::TooLarge,
        Refused::NotAnEnvelope,
        Refused::OtherType,
        Refused::Unsigned,
        Refused::UnknownKey,
        Refused::BadSignature,
        Refused::NotADelivery,
        Refused::OtherNode,
        Refused::OtherWait,
        Refused::BadDates,
        Refused::NumberBack,
        Refused::OutOfLimits,
        Refused::Expired,
        Refused::NotYetValid,
        Refused::ProtocolDowngraded,
        Refused::NumberTaken,
    ];

    /// The word for it, in ledgers, events and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refused::TooLarge => "too_large",
            Refused::NotAnEnvelope => "not_an_envelope",
            Refused::OtherType => "other_type",
            Refused::Unsigned => "unsigned",
            Refused::UnknownKey => "unknown_key",
            Refused::BadSignature => "bad_signature",
            Refused::NotADelivery => "not_a_delivery",
            Refused::OtherNode => "other_node",
            Refused::OtherWait => "other_wait",
            Refused::BadDates => "bad_dates",
            Refused::Expired => "expired",
            Refused::NotYetValid => "not_yet_valid",
            Refused::ProtocolDowngraded => "protocol_downgraded",
            Refused::OutOfLimits => "out_of_limits",
            Refused::NumberBack => "number_back",
            Refused::NumberTaken => "number_taken",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Refused> {
        Refused::ALL.into_iter().find(|refused| refused.as_str() == word)
    }

    /// Whether the hub's signed time could make it good: either the delivery is wrong or our clock.
    pub const fn is_about_time(self) -> bool {
        matches!(self, Refused::Expired | Refused::NotYetValid)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which wait, of all that were ever sent for a node: the nonce of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wait {
    /// Which start of the agent asked.
    pub boot: BootId,
    /// Its how many-th wait that was.
    pub seq: u64,
}

/// What a signed delivery says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// For whom it is.
    pub node: NodeId,
    /// Which wait it answers.
    pub answers: Wait,
    /// Its number.
    pub number: u64,
    /// When it was signed.
    pub issued_at: Millis,
    /// Until when it is valid.
    pub expires_at: Millis,
}

/// What the agent knows that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Who it is.
    pub node: NodeId,
    /// Which wait this is the answer to.
    pub wait: Wait,
    /// What that wait acknowledged.
    pub ack: u64,
}

/// One task of a delivery, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Its run.
    pub run: u32,
    /// Its attempt.
    pub attempt: u32,
    /// The bytes of its payload.
    pub payload: usize,
}

/// Whether a signed delivery is the answer to what this agent has asked. Its time is looked at apart.
pub fn is_answer(head: &Head, asked: &Asked) -> Result<(), Refused> {
    if head.node != asked.node {
        return Err(Refused::OtherNode);
    }
    if head.answers != asked.wait {
        return Err(Refused::OtherWait);
    }
    if head.expires_at < head.issued_at || head.expires_at.since(head.issued_at) > DELIVERY_LIFE_MAX {
        return Err(Refused::BadDates);
    }
    if head.number < asked.ack {
        return Err(Refused::NumberBack);
    }
    if head.number > COUNT_MAX.into() {
        return Err(Refused::OutOfLimits);
    }
    Ok(())
}

/// Whether its time is now, by the hub's clock as well as it is known here.
pub fn in_time(head: &Head, now: Millis) -> Result<(), Refused> {
    if now > head.expires_at {
        return Err(Refused::Expired);
    }
    if head.issued_at.since(now) > DELIVERY_AHEAD_MAX {
        return Err(Refused::NotYetValid);
    }
    Ok(())
}

/// Whether a task of it keeps to the limits.
pub fn within_limits(size: Size) -> Result<(), Refused> {
    let counts = 1..=COUNT_MAX;
    if counts.contains(&size.run) && counts.contains(&size.attempt) && size.payload <= TASK_PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    Err(Refused::OutOfLimits)
}

/// What a hub has told of a node's refusals for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How many there were by then.
    pub times: u64,
    /// When.
    pub at: Millis,
}

/// Whether refusals for one reason are worth an event: the first, then whenever they have doubled, and
/// once an hour while there are more. So they are never silent, and nobody can fill the events with them.
pub fn is_worth_telling(told: Option<Told>, times: u64, now: Millis) -> bool {
    match told {
        None => times > 0,
        Some(told) => times > told.times && (times / 2 >= told.times || now.since(told.at) >= Span::hours(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use uuid::Uuid;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn wait(boot: u128, seq: u64) -> Wait {
        Wait { boot: Id::from_uuid(Uuid::from_u128(boot)), seq }
    }
    fn node(n: u128) -> NodeId {
        Id::from_uuid(Uuid::from_u128(n))
    }
    fn head() -> Head {
        let (issued_at, expires_at) = (NOW, NOW + Span::minutes(10));
        Head { node: node(1), answers: wait(1, 1), number: 5, issued_at, expires_at }
    }

    #[test]
    fn only_the_answer_to_this_very_wait_is_taken() {
        let asked = Asked { node: node(1), wait: wait(1, 1), ack: 5 };
        assert_eq!(is_answer(&head(), &asked), Ok(()));
        assert_eq!(is_answer(&head(), &Asked { ack: 4, ..asked }), Ok(()));
        assert_eq!(is_answer(&head(), &Asked { ack: 6, ..asked }), Err(Refused::NumberBack));
        assert_eq!(is_answer(&head(), &Asked { node: node(2), ..asked }), Err(Refused::OtherNode));
        for other in [wait(1, 2), wait(2, 1)] {
            assert_eq!(is_answer(&head(), &Asked { wait: other, ..asked }), Err(Refused::OtherWait));
        }
        let beyond = Head { number: u64::MAX, ..head() };
        assert_eq!(is_answer(&beyond, &asked), Err(Refused::OutOfLimits));
    }

    #[test]
    fn a_delivery_has_a_life_that_begins_before_it_ends_and_is_short() {
        let asked = Asked { node: node(1), wait: wait(1, 1), ack: 0 };
        let lives = [(-1, Err(Refused::BadDates)), (0, Ok(())), (DELIVERY_LIFE_MAX.0, Ok(()))];
        for (life, verdict) in lives.into_iter().chain([(DELIVERY_LIFE_MAX.0 + 1, Err(Refused::BadDates))]) {
            assert_eq!(is_answer(&Head { expires_at: NOW + Span(life), ..head() }, &asked), verdict, "{life}");
        }
        let wraps = Head { issued_at: Millis(i64::MIN), expires_at: Millis(i64::MAX), ..head() };
        assert_eq!(is_answer(&wraps, &asked), Err(Refused::BadDates));
    }

    #[test]
    fn it_is_taken_from_a_little_before_its_time_until_its_end() {
        let end = head().expires_at;
        assert_eq!(in_time(&head(), NOW - DELIVERY_AHEAD_MAX), Ok(()), "clocks differ a little");
        assert_eq!(in_time(&head(), NOW - DELIVERY_AHEAD_MAX - Span(1)), Err(Refused::NotYetValid));
        assert_eq!(in_time(&head(), end), Ok(()));
        assert_eq!(in_time(&head(), end + Span(1)), Err(Refused::Expired));
        assert!(Refused::Expired.is_about_time() && !Refused::BadDates.is_about_time());
    }

    #[test]
    fn counts_begin_at_one_and_payloads_have_a_size() {
        let good = Size { run: 1, attempt: 1, payload: TASK_PAYLOAD_BYTES_MAX };
        assert_eq!(within_limits(good), Ok(()));
        for bad in [
            Size { run: 0, ..good },
            Size { attempt: 0, ..good },
            Size { run: u32::MAX, ..good },
            Size { payload: TASK_PAYLOAD_BYTES_MAX + 1, ..good },
        ] {
            assert_eq!(within_limits(bad), Err(Refused::OutOfLimits), "{bad:?}");
        }
    }

    #[test]
    fn every_word_is_read_back_and_is_one_reason_s_own() {
        for refused in Refused::ALL {
            assert_eq!(Refused::parse(refused.as_str()), Some(refused));
        }
        assert_eq!(Refused::parse("else"), None);
    }

    #[test]
    fn refusals_are_told_at_once_then_as_they_double_and_hourly() {
        let told = |times| Some(Told { times, at: NOW });
        assert!(is_worth_telling(None, 1, NOW));
        assert!(!is_worth_telling(None, 0, NOW));
        assert!(is_worth_telling(told(1), 2, NOW));
        assert!(!is_worth_telling(told(2), 3, NOW));
        assert!(!is_worth_telling(told(2), 2, NOW + Span::days(9)), "nothing new");
        assert!(is_worth_telling(told(2), 3, NOW + Span::hours(1)));
        let events =
            (1..=1_000_000).fold((0, None), |(events, told), times| match is_worth_telling(told, times, NOW) {
                true => (events + 1, Some(Told { times, at: NOW })),
                false => (events, told),
            });
        assert!(events.0 < 30, "{events:?}");
    }
}
