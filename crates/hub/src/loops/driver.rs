//! Runs one piece of recurring work until the hub stops, and shows how it goes.

use std::sync::Arc;
use std::time::Duration;

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
            let Some(work) = once(app.clone()) else { continue };
            let watch = Stopwatch::start();
            match work.await {
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
                        tracing::warn!(work = name, %error, "Recurring work failed; it is tried again");
                    }
                    failing = true;
                }
            }
            metrics::gauge!("sortie_loop_failing", "work" => name).set(f64::from(u8::from(failing)));
            metrics::histogram!("sortie_loop_seconds", "work" => name).record(watch.seconds());
        }
    });
}
