//! Runs one piece of recurring work until the hub stops, and shows how it goes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::app::{App, Shared};
use crate::clock::Stopwatch;
use crate::fault::Fault;

/// How soon after a bell a turn begins; what rings meanwhile is part of it.
const BREATH: Duration = Duration::from_millis(50);

/// Runs `once` every `period` until the hub stops. What fails is tried again at the next turn.
pub(super) fn every<F>(app: &Shared, name: &'static str, period: Duration, once: impl Fn(Shared) -> F + Send + 'static)
where
    F: Future<Output = Result<u64, Fault>> + Send,
{
    every_or_rung(app, name, period, |_| Arc::default(), once);
}

/// The same, and at once when a bell rings.
pub(super) fn every_or_rung<F>(
    app: &Shared,
    name: &'static str,
    period: Duration,
    bell: impl Fn(&App) -> Arc<Notify>,
    once: impl Fn(Shared) -> F + Send + 'static,
) where
    F: Future<Output = Result<u64, Fault>> + Send,
{
    turns(app, name, period, bell(app), move |app| Some(once(app)));
}

/// The same, at one hub of several on a database: what needs doing once. A hub that begins to lead does it at once.
pub(super) fn every_at_leader<F>(
    app: &Shared,
    name: &'static str,
    period: Duration,
    once: impl Fn(Shared) -> F + Send + 'static,
) where
    F: Future<Output = Result<u64, Fault>> + Send,
{
    turns(app, name, period, Arc::default(), move |app| app.leader.leads(&app).then(|| once(app)));
}

/// Takes a turn every `period`, when the bell rings and when this hub begins to lead. What is not this hub's to do
/// (`None`) is no turn.
fn turns<F>(
    app: &Shared,
    name: &'static str,
    period: Duration,
    bell: Arc<Notify>,
    once: impl Fn(Shared) -> Option<F> + Send + 'static,
) where
    F: Future<Output = Result<u64, Fault>> + Send,
{
    let (app, mut leads) = (app.clone(), app.leader.began());
    tokio::spawn(async move {
        let mut turn = tokio::time::interval(period);
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                biased;
                () = app.stop.cancelled() => return,
                _ = turn.tick() => {}
                Ok(()) = leads.changed() => {}
                // A bell that rings without end still leaves the others room.
                () = async { bell.notified().await; tokio::time::sleep(BREATH).await } => {}
            }
            let watch = Stopwatch::start();
            let Some(begun) = begin(|| once(app.clone())) else {
                // What failed here is another hub's to do now, and to tell how it goes.
                if std::mem::take(&mut failing) {
                    show(name, failing);
                }
                continue;
            };
            let outcome = match begun {
                Ok(work) => end(work).await,
                Err(fault) => Err(fault),
            };
            match outcome {
                Ok(changed) => {
                    if failing {
                        tracing::info!(work = name, "Recurring work succeeds again");
                    }
                    failing = false;
                    metrics::counter!("sortie_loop_changes_total", "work" => name).increment(changed);
                }
                Err(error) => {
                    // Said once, not with every turn of a database that is away for an hour.
                    if !failing {
                        tell(name, &error);
                    }
                    failing = true;
                }
            }
            show(name, failing);
            metrics::histogram!("sortie_loop_seconds", "work" => name).record(watch.seconds());
        }
    });
}

fn show(work: &'static str, failing: bool) {
    metrics::gauge!("sortie_loop_failing", "work" => work).set(f64::from(u8::from(failing)));
}

/// Begins a turn. One that panics has failed like any other, and others follow: what it leaves half done is in a
/// transaction, which is undone, or behind a lock that the next turn can take.
fn begin<F>(once: impl FnOnce() -> Option<F>) -> Option<Result<F, Fault>> {
    catch_unwind(AssertUnwindSafe(once)).map_err(|panic| panicked(&*panic)).transpose()
}

/// Brings it to its end.
async fn end<F>(work: F) -> Result<u64, Fault>
where
    F: Future<Output = Result<u64, Fault>>,
{
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    Fault::Broken(format!("it panicked: {}", words(panic)))
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

fn tell(work: &'static str, error: &Fault) {
    match error {
        Fault::Broken(_) => {
            tracing::error!(work, %error, "Recurring work failed for a fault of the hub; it is tried again")
        }
        _ => tracing::warn!(work, %error, "Recurring work failed; it is tried again"),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use super::*;

    type Turn = Option<Ready<Result<u64, Fault>>>;

    fn why<T>(failed: Result<T, Fault>) -> String {
        failed.map(drop).expect_err("it failed").to_string()
    }

    #[tokio::test]
    async fn a_turn_that_panics_has_failed_and_says_why() {
        assert_eq!(why(end(async { panic!("no {}", "leaf") }).await), "it panicked: no leaf");
        let at_once = begin(|| -> Turn { panic!("no root") });
        assert_eq!(why(at_once.expect("it was a turn")), "it panicked: no root");
    }

    #[tokio::test]
    async fn a_turn_ends_as_its_work_does_and_what_is_not_this_hub_s_is_none() {
        let begun = begin(|| -> Turn { Some(ready(Ok(3))) }).expect("it is a turn").expect("it has begun");
        assert_eq!(end(begun).await.expect("it succeeds"), 3);
        assert!(begin(|| -> Turn { None }).is_none());
    }
}
