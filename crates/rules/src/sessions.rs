//! Sessions of the console: how long one lives, when its secret changes, and what a secret that has been
//! replaced means.

use crate::time::{Millis, Span};

/// For how long a session is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// It ends after so long without a request.
    pub idle: Span,
    /// Its secret is replaced with the first request after so long.
    pub rotate_after: Span,
    /// For so long the replaced secret holds still: requests that were under way carry it.
    pub grace: Span,
}

/// What is known of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When it was last used.
    pub last_used_at: Millis,
    /// When its secret was last replaced.
    pub rotated_at: Millis,
    /// When it ends, whatever happens.
    pub ends_at: Millis,
    /// Whether the secret that holds has been shown yet. Until then nobody may have it: the answer that
    /// brought it can have been lost.
    pub confirmed: bool,
}

/// Which of its secrets a request showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The one that holds.
    Current,
    /// The one before it.
    Previous,
}

/// What becomes of a request that shows a session's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is let in.
    Holds,
    /// It is let in, and the secret is replaced.
    Rotate,
    /// The session has come to its end.
    Ended,
    /// A secret that was replaced long ago is shown: somebody else has had it. The session must end.
    Stolen,
}

/// Judges a request of a session.
pub fn judge(session: Session, terms: Terms, shown: Shown, now: Millis) -> Verdict {
    if now >= session.ends_at || now.since(session.last_used_at) >= terms.idle {
        return Verdict::Ended;
    }
    let since = now.since(session.rotated_at);
    match shown {
        Shown::Previous if since < terms.grace => Verdict::Holds,
        Shown::Previous if session.confirmed => Verdict::Stolen,
        Shown::Previous => Verdict::Rotate,
        Shown::Current if since >= terms.rotate_after => Verdict::Rotate,
        Shown::Current => Verdict::Holds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);
    const TERMS: Terms = Terms { idle: Span::minutes(30), rotate_after: Span::minutes(15), grace: Span::seconds(60) };

    fn at(used: Span, rotated: Span, shown: Shown) -> Verdict {
        let session = Session {
            last_used_at: Millis(NOW.0 - used.0),
            rotated_at: Millis(NOW.0 - rotated.0),
            ends_at: NOW + Span::hours(1),
            confirmed: true,
        };
        judge(session, TERMS, shown, NOW)
    }

    #[test]
    fn a_session_in_use_holds_and_its_secret_is_replaced_now_and_then() {
        assert_eq!(at(Span::seconds(1), Span::minutes(14), Shown::Current), Verdict::Holds);
        assert_eq!(at(Span::seconds(1), Span::minutes(15), Shown::Current), Verdict::Rotate);
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_at_its_time() {
        assert_eq!(at(Span::minutes(29), Span::minutes(14), Shown::Current), Verdict::Holds);
        assert_eq!(at(Span::minutes(30), Span::minutes(30), Shown::Current), Verdict::Ended);
        let session = Session { last_used_at: NOW, rotated_at: NOW, ends_at: NOW, confirmed: true };
        assert_eq!(judge(session, TERMS, Shown::Current, NOW), Verdict::Ended);
    }

    #[test]
    fn the_secret_before_holds_for_a_moment_and_then_betrays_a_thief() {
        assert_eq!(at(Span::seconds(1), Span::seconds(59), Shown::Previous), Verdict::Holds);
        assert_eq!(at(Span::seconds(1), Span::seconds(60), Shown::Previous), Verdict::Stolen);
        assert_eq!(at(Span::minutes(30), Span::minutes(40), Shown::Previous), Verdict::Ended, "over is over");
    }

    #[test]
    fn a_secret_that_never_arrived_is_replaced_again() {
        let (rotated_at, ends_at) = (Millis(NOW.0 - 120_000), NOW + Span::hours(1));
        let session = Session { last_used_at: NOW, rotated_at, ends_at, confirmed: false };
        assert_eq!(judge(session, TERMS, Shown::Previous, NOW), Verdict::Rotate);
    }
}
