//! Signing in on another device (RFC 8628): when to ask again whether somebody has, and when to give up.
//! And when a token is near enough to its end to be renewed.

use crate::limits::{POLL_DEFAULT, POLL_MAX, POLL_SLOWER, RENEW_BEFORE};
use crate::time::{Millis, Span};

/// What follows an answer that holds no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterPoll {
    /// Ask again after this pause, which is the usual one from now on.
    Again(Span),
    /// Somebody declined.
    Declined,
    /// Nobody came in time.
    TooLate,
    /// The provider does not want to, for this reason.
    Refused(String),
}

/// The first pause: what the provider wishes, in seconds, within reason.
pub fn first_pause(wished_s: Option<u64>) -> Span {
    let wished = wished_s.and_then(|seconds| i64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    wished.map_or(POLL_DEFAULT, |seconds| Span::seconds(seconds.min(POLL_MAX.0 / 1000)))
}

/// What follows an answer that holds this error.
pub fn after_poll(error: &str, pause: Span) -> AfterPoll {
    match error {
        "authorization_pending" => AfterPoll::Again(pause),
        "slow_down" => AfterPoll::Again((pause + POLL_SLOWER).min(POLL_MAX)),
        "access_denied" => AfterPoll::Declined,
        "expired_token" => AfterPoll::TooLate,
        other => AfterPoll::Refused(other.to_owned()),
    }
}

/// Whether a token that ends then is to be renewed now, rather than on the way.
pub fn is_due(now: Millis, ends_at: Millis) -> bool {
    now + RENEW_BEFORE >= ends_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_asked_too_often_is_asked_less_often() {
        let pause = first_pause(Some(2));
        assert_eq!(after_poll("authorization_pending", pause), AfterPoll::Again(Span::seconds(2)));
        assert_eq!(after_poll("slow_down", pause), AfterPoll::Again(Span::seconds(7)));
        assert_eq!(after_poll("slow_down", POLL_MAX), AfterPoll::Again(POLL_MAX));
        assert_eq!(after_poll("access_denied", pause), AfterPoll::Declined);
        assert_eq!(after_poll("expired_token", pause), AfterPoll::TooLate);
        assert_eq!(after_poll("invalid_grant", pause), AfterPoll::Refused("invalid_grant".to_owned()));
    }

    #[test]
    fn the_first_pause_is_what_was_wished_within_reason() {
        assert_eq!((first_pause(None), first_pause(Some(0))), (POLL_DEFAULT, POLL_DEFAULT));
        assert_eq!(first_pause(Some(u64::MAX)), POLL_DEFAULT);
        assert_eq!(first_pause(Some(1 << 40)), POLL_MAX);
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let end = Millis(1_000_000);
        assert!(is_due(end, end) && is_due(end - RENEW_BEFORE, end));
        assert!(!is_due(Millis(end.0 - RENEW_BEFORE.0 - 1), end));
    }
}
