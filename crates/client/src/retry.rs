//! Trying again where that cannot do a thing twice.

use std::future::Future;

use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;

use crate::clock::{Entropy, Steady};
use crate::error::ClientError;

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span(200), cap: Span::seconds(10) };

/// How long a call may be tried.
#[derive(Debug, Clone)]
pub struct Patience {
    /// No try begins later than this after the first.
    pub total: Span,
    /// Spreads the waits.
    pub entropy: Entropy,
}

/// What may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Anything that is not final: the request does the same however often it comes.
    Safely,
    /// Only what surely changed nothing.
    IfNothingWasDone,
}

/// Calls until it succeeds, fails for good, or patience ends; the last error is the answer. A wait
/// that the hub asks for is kept, even if it uses up the patience.
pub(crate) async fn patiently<T, F>(
    patience: &Patience,
    repeat: Repeat,
    mut call: impl FnMut() -> F,
) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    let began = Steady::now();
    let mut failures = 0;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failures += 1;
        let may_repeat = !error.is_final() && (repeat == Repeat::Safely || error.nothing_was_done());
        let own = BACKOFF.wait(failures, patience.entropy.draw());
        let wait = error.retry_after().map_or(own, |asked| asked.max(own));
        if !may_repeat || began.elapsed().0 + wait.0 > patience.total.0 {
            return Err(error);
        }
        tracing::debug!(%error, wait_ms = wait.0, "the call will be tried again");
        tokio::time::sleep(wait.to_std()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Stage;
    use sortie_wire::problem::{Problem, ProblemCode};

    fn patience(total: Span) -> Patience {
        Patience { total, entropy: Entropy::new(|bytes| bytes.fill(0xff)) }
    }
    fn broken() -> ClientError {
        ClientError::Unreachable { hub: "h".into(), stage: Stage::Broken, source: "cut".into() }
    }
    fn problem(code: ProblemCode, retry_after: Option<Span>) -> ClientError {
        ClientError::Problem { problem: Box::new(Problem::new(code, "x")), retry_after }
    }
    async fn tries(total: Span, repeat: Repeat, fail: impl Fn() -> ClientError, succeed_at: u32) -> (u32, bool) {
        let (mut tries, patience) = (0, patience(total));
        let outcome = patiently(&patience, repeat, || {
            tries += 1;
            let answer = if tries == succeed_at { Ok(()) } else { Err(fail()) };
            async { answer }
        });
        let ok = outcome.await.is_ok();
        (tries, ok)
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_is_tried_again_only_where_that_is_safe() {
        assert_eq!(tries(Span::minutes(1), Repeat::Safely, broken, 3).await, (3, true));
        assert_eq!(tries(Span::minutes(1), Repeat::IfNothingWasDone, broken, 3).await, (1, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_tried_again() {
        let refused = || problem(ProblemCode::UnknownNode, None);
        assert_eq!(tries(Span::minutes(1), Repeat::Safely, refused, 2).await, (1, false));
    }

    #[tokio::test(start_paused = true)]
    async fn the_hub_s_wish_for_a_pause_is_kept_and_patience_ends() {
        let busy = || problem(ProblemCode::RateLimited, Some(Span::seconds(7)));
        let began = Steady::now();
        assert_eq!(tries(Span::minutes(1), Repeat::IfNothingWasDone, busy, 2).await, (2, true));
        assert_eq!(began.elapsed(), Span::seconds(7));
        let (tries, ok) = tries(Span::seconds(20), Repeat::Safely, busy, u32::MAX).await;
        assert_eq!((tries, ok), (3, false));
    }
}
