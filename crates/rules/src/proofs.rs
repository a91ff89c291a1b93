//! How a node proves who it is: by the certificate of its connection, or, where something on the way opens
//! connections, by an assertion: a statement for one request, signed with the node's key, usable once.
//!
//! The signature has been checked before anything here is asked, and the single use is somebody else's to keep.

use serde::{Deserialize, Serialize};

use crate::limits::{ASSERTION_EARLY_MAX, ASSERTION_ID_BYTES_MAX, ASSERTION_ID_BYTES_MIN, ASSERTION_LIFE_MAX};
use crate::time::{Millis, Span};

/// With what a node proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The certificate of the connection.
    Certificate,
    /// A signed statement in each request.
    Assertion,
}

impl Proof {
    /// The word for it in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Proof::Certificate => "certificate",
            Proof::Assertion => "assertion",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Proof> {
        [Proof::Certificate, Proof::Assertion].into_iter().find(|proof| proof.as_str() == word)
    }
}

/// What an assertion says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asserted<'a> {
    /// For which hub it was made.
    pub hub: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's path with its query.
    pub target: &'a str,
    /// From when it holds.
    pub issued_at: Millis,
    /// Until when.
    pub expires_at: Millis,
    /// By what it is known if it comes again.
    pub id: &'a str,
}

/// What it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Which hub this is.
    pub hub: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's path with its query.
    pub target: &'a str,
    /// The hub's time.
    pub now: Millis,
    /// From when on this hub knows which assertions were used, if that has a beginning.
    pub remembers_since: Option<Millis>,
}

/// Why an assertion counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was made for another hub.
    #[error("it was made for another hub")]
    OtherHub,
    /// It was made for another request.
    #[error("it was made for another request: method, path or query differ; something on the way changes them")]
    OtherRequest,
    /// Its id is too short to be unique, or too long to be kept.
    #[error("its id has fewer than {ASSERTION_ID_BYTES_MIN} or more than {ASSERTION_ID_BYTES_MAX} bytes")]
    BadId,
    /// It lives longer than it may.
    #[error("it lives longer than {ASSERTION_LIFE_MAX}")]
    TooLong,
    /// Its time is over.
    #[error("its time is over, by the hub's clock")]
    Expired,
    /// Its time has not begun.
    #[error("its time has not begun, by the hub's clock")]
    NotYet,
    /// It is from before the hub began, which cannot tell whether it was used.
    #[error("it was made before this hub began, which cannot tell whether it was used; make another")]
    Forgotten,
}

impl Refusal {
    /// Whether another, made at the hub's time, would do.
    pub fn is_about_time(self) -> bool {
        matches!(self, Refusal::Expired | Refusal::NotYet | Refusal::Forgotten)
    }
}

/// Whether an assertion is for this request, at this hub, now.
pub fn judge(asserted: &Asserted<'_>, asked: &Asked<'_>) -> Result<(), Refusal> {
    if asserted.hub != asked.hub {
        return Err(Refusal::OtherHub);
    }
    if asserted.method != asked.method || asserted.target != asked.target {
        return Err(Refusal::OtherRequest);
    }
    if !(ASSERTION_ID_BYTES_MIN..=ASSERTION_ID_BYTES_MAX).contains(&asserted.id.len()) {
        return Err(Refusal::BadId);
    }
    let (from, until) = (asserted.issued_at, asserted.expires_at);
    if until <= from || until.since(from) > ASSERTION_LIFE_MAX {
        return Err(Refusal::TooLong);
    }
    if asked.now >= until {
        return Err(Refusal::Expired);
    }
    if from > asked.now + ASSERTION_EARLY_MAX {
        return Err(Refusal::NotYet);
    }
    // What was used shortly before the beginning may have been made a little ahead of it.
    if asked.remembers_since.is_some_and(|since| from < since + ASSERTION_EARLY_MAX) {
        return Err(Refusal::Forgotten);
    }
    Ok(())
}

/// How a node's certificate stands when the node comes without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds: the node may do everything.
    Holds,
    /// It has ended: the node may renew it, and nothing else until then.
    Renewable,
    /// It ended too long ago: only an invite lets the node in again.
    Lapsed,
}

/// How a certificate stands at `now` that holds until `until`, where so much grace is given.
pub fn standing(until: Millis, now: Millis, grace: Span) -> Standing {
    match now {
        now if now <= until => Standing::Holds,
        now if now <= until + grace => Standing::Renewable,
        _ => Standing::Lapsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn asserted() -> Asserted<'static> {
        Asserted {
            hub: "hub",
            method: "POST",
            target: "/agent/v1/renew",
            issued_at: NOW,
            expires_at: NOW + Span::seconds(60),
            id: "0123456789abcdef",
        }
    }
    fn asked() -> Asked<'static> {
        Asked { hub: "hub", method: "POST", target: "/agent/v1/renew", now: NOW, remembers_since: None }
    }

    #[test]
    fn an_assertion_holds_for_its_own_request_at_its_own_hub() {
        assert_eq!(judge(&asserted(), &asked()), Ok(()));
        assert_eq!(judge(&asserted(), &Asked { hub: "other", ..asked() }), Err(Refusal::OtherHub));
        for other in [Asked { method: "GET", ..asked() }, Asked { target: "/agent/v1/renew?x", ..asked() }] {
            assert_eq!(judge(&asserted(), &other), Err(Refusal::OtherRequest));
        }
    }

    #[test]
    fn an_id_is_long_enough_to_be_unique_and_short_enough_to_be_kept() {
        let long = "x".repeat(ASSERTION_ID_BYTES_MAX + 1);
        for id in ["", "0123456789abcde", &long] {
            assert_eq!(judge(&Asserted { id, ..asserted() }, &asked()), Err(Refusal::BadId));
        }
    }

    #[test]
    fn its_life_is_bounded_at_both_ends() {
        let until = |span| judge(&Asserted { expires_at: NOW + span, ..asserted() }, &asked());
        assert_eq!(until(ASSERTION_LIFE_MAX), Ok(()));
        assert_eq!(until(ASSERTION_LIFE_MAX + Span(1)), Err(Refusal::TooLong));
        assert_eq!(until(Span(0)), Err(Refusal::TooLong));
        let at = |now| judge(&asserted(), &Asked { now, ..asked() });
        assert_eq!(at(NOW + Span(59_999)), Ok(()));
        assert_eq!(at(NOW + Span(60_000)), Err(Refusal::Expired));
        assert_eq!(at(NOW - ASSERTION_EARLY_MAX), Ok(()));
        assert_eq!(at(NOW - ASSERTION_EARLY_MAX - Span(1)), Err(Refusal::NotYet));
        let forever = Asserted { issued_at: Millis(i64::MIN), expires_at: Millis(i64::MAX), ..asserted() };
        assert_eq!(judge(&forever, &asked()), Err(Refusal::TooLong));
    }

    #[test]
    fn what_may_have_been_used_before_the_hub_began_is_refused_after_it() {
        let since = |since| judge(&asserted(), &Asked { remembers_since: Some(since), ..asked() });
        assert_eq!(since(NOW - ASSERTION_EARLY_MAX), Ok(()));
        // One that a hasty clock made is taken so long before its time; it must not be taken after a restart too.
        assert_eq!(since(NOW - ASSERTION_EARLY_MAX + Span(1)), Err(Refusal::Forgotten));
        assert_eq!(since(NOW), Err(Refusal::Forgotten));
    }

    #[test]
    fn a_certificate_that_has_ended_can_be_renewed_for_a_while() {
        let grace = Span::days(365);
        let at = |after: Span| standing(NOW, NOW + after, grace);
        assert_eq!(at(Span(0)), Standing::Holds);
        assert_eq!(at(Span(1)), Standing::Renewable);
        assert_eq!(at(grace), Standing::Renewable);
        assert_eq!(at(grace + Span(1)), Standing::Lapsed);
    }

    #[test]
    fn the_word_is_read_back() {
        for proof in [Proof::Certificate, Proof::Assertion] {
            assert_eq!(Proof::parse(proof.as_str()), Some(proof));
        }
        assert_eq!(Proof::parse("password"), None);
    }
}
