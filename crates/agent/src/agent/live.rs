//! An agent's life: recover, begin the loops, wait for the end, stop in order.

use std::future::Future;
use std::sync::Arc;

use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::error::AgentError;
use super::site::Site;
use super::start::Life;
use crate::clock::Clock;
use crate::forgetting::forget;
use crate::ledger::{Interrupted, Recovered};
use crate::runner::{Runner, Waiting, interrupted};

/// How long a stop waits for the last results to be sent. What is left is sent after the next start.
const LAST_RESULTS: Span = Span::seconds(2);

pub(super) async fn live(life: Life, shutdown: impl Future<Output = ()>) -> Result<(), AgentError> {
    let Life { thread, recovered, runner, wait_loop, heart, reporter, shipper, .. } = life;
    let (following, teller, renewal, ledger) = (life.following, life.teller, life.renewal, life.ledger);
    let (clock, stop_taking, stop) = (life.clock, life.stop_taking, life.stop);
    // Should this future be dropped, everything that was begun here ends too.
    let _ends_with_us = (stop_taking.clone().drop_guard(), stop.clone().drop_guard());
    let _runs_end_with_us = runner.abandon.clone().drop_guard();

    tracing::info!(
        node = %renewal.hub.node(), name = renewal.hub.name(), hub = renewal.hub.line().hub(),
        version = crate::VERSION, "the agent has started"
    );
    resume(&runner, recovered, &clock);
    let mut loops: JoinSet<&str> = JoinSet::new();
    loops.spawn(async move {
        wait_loop.run().await;
        "wait"
    });
    loops.spawn(async move {
        heart.run().await;
        "heartbeat"
    });
    loops.spawn(async move {
        shipper.run().await;
        "logs"
    });
    loops.spawn(async move {
        following.run().await;
        "operators"
    });
    loops.spawn(async move {
        teller.run().await;
        "refusals"
    });
    let Site { heard: _, following: desired, reconciler, teller: observing, supervisor, reports } = life.site;
    loops.spawn(async move {
        desired.run().await;
        "desired state"
    });
    loops.spawn(async move {
        reconciler.run().await;
        "reconciler"
    });
    loops.spawn(async move {
        observing.run().await;
        "observed state"
    });
    loops.spawn(async move {
        reports.run().await;
        "reports"
    });
    loops.spawn(async move {
        renewal.run().await;
        "renewal"
    });
    loops.spawn(ends_with(stop.clone(), async move { forget(ledger, clock).await }));
    let watching = Arc::clone(&runner);
    loops.spawn(ends_with(stop.clone(), async move { watching.policy.look_now_and_then().await }));
    let reporting = loops.spawn(async move {
        reporter.run().await;
        "reporter"
    });

    let outcome = tokio::select! {
        () = shutdown => Ok(()),
        ended = loops.join_next() => Err(AgentError::Fault(describe(ended))),
    };
    tracing::info!(running = runner.board.running(), "the agent stops; it takes nothing new");
    runner.board.stop();
    stop_taking.cancel();
    runner.runs.close();
    if tokio::time::timeout(life.stop_grace.to_std(), runner.runs.wait()).await.is_err() {
        tracing::warn!(
            running = runner.board.running(),
            "tasks are left in the middle; the next start decides on them"
        );
    }
    runner.abandon.cancel();
    runner.runs.wait().await;
    if tokio::time::timeout(life.stop_grace.to_std(), supervisor.ended()).await.is_err() {
        tracing::warn!("services that this agent runs do not end; they are killed");
    }
    stop.cancel();
    let ended = async { while loops.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_RESULTS.to_std(), ended).await.is_err() {
        reporting.abort();
        loops.shutdown().await;
    }
    drop(runner);
    // Everything that could write has ended: what was asked of the ledger is now put on disk.
    let closed = tokio::task::spawn_blocking(move || thread.join()).await;
    tracing::info!("the agent has stopped");
    closed.map_err(|error| AgentError::Fault(error.to_string()))?;
    outcome
}

/// Takes up what was under way before the start.
fn resume(runner: &Arc<Runner>, recovered: Recovered, clock: &Clock) {
    let Recovered { run, rebooting, interrupted: cut, unreported } = recovered;
    if !run.is_empty() || !rebooting.is_empty() || !cut.is_empty() || unreported > 0 {
        tracing::info!(
            run = run.len(),
            rebooting = rebooting.len(),
            interrupted = cut.len(),
            unreported,
            "the ledger holds work from before this start"
        );
    }
    for Interrupted { run, attempt } in cut {
        let end = interrupted(run, attempt, clock.now(), runner.logs.length(run));
        let worker = Arc::clone(runner);
        runner.runs.spawn(async move { worker.settle(end).await });
    }
    rebooting.into_iter().for_each(|rebooting| runner.resume_reboot(rebooting));
    if unreported > 0 {
        runner.outbox.look_again();
    }
    let waiting = |handed: HandedTask| Waiting { handed, start_is_written: false };
    runner.board.admit(run.into_iter().map(waiting));
    runner.fill();
}

async fn ends_with(stop: CancellationToken, work: impl Future<Output = ()>) -> &'static str {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
    "pruning"
}

fn describe(ended: Option<Result<&str, tokio::task::JoinError>>) -> String {
    match ended {
        Some(Ok(name)) => format!("its loop `{name}` has ended"),
        Some(Err(error)) => error.to_string(),
        None => "it has no loops".to_owned(),
    }
}
