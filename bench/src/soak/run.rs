//! Does a soak: starts everybody, restarts now this one and now that, looks every few seconds, and judges.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::hands::Hands;
use super::mixture::{Mixture, all_ended};
use super::notes::Notes;
use super::plan::Soak;
use super::sample::Sample;
use super::{show, verdict};
use crate::cli::Setup;
use crate::rows::ground::Ground;

/// How often an agent is restarted.
const AGENT_EVERY: Duration = Duration::from_secs(20);
/// At which parts of the time the hub is restarted: by a stop, by SIGKILL, by a stop. None comes in the last two
/// thirds, over which its memory is watched.
const HUB_AT: [f64; 3] = [0.1, 0.2, 0.3];
/// How long the last tasks may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Soaks for `--minutes`.
///
/// # Errors
/// If something cannot be done, or the verdict is bad.
pub(crate) async fn run(setup: &Setup, soak: &Soak) -> anyhow::Result<()> {
    let mut ground = Ground::for_long(setup, soak.agents).await?;
    let notes = Arc::new(Notes::default());
    let mut hands = Hands::start(ground.fleet.sites(), &notes)?;
    let mut mixture = Mixture::start(&ground.hub.line_once()?, soak, &notes);
    let (began, long) = (Instant::now(), Duration::from_secs_f64(60.0 * setup.minutes));
    let (mut samples, mut restarts) = (Vec::<Sample>::new(), 0);
    let mut looks = tokio::time::interval(Duration::from_secs(soak.every.max(1).into()));
    let mut agents = tokio::time::interval(AGENT_EVERY);
    looks.tick().await;
    agents.tick().await;
    show::head(soak.json)?;
    while began.elapsed() < long {
        tokio::select! {
            _ = looks.tick() => {
                let (kept, since) = (ground.kept().await?, notes.since());
                let seen = Sample::take(&ground.hub, kept, since, began.elapsed(), samples.last());
                show::sample(&seen, soak.json)?;
                samples.push(seen);
            }
            _ = agents.tick() => hands.restart_one().await?,
        }
        if HUB_AT.get(restarts).is_some_and(|part| began.elapsed() > long.mul_f64(*part)) {
            notes.hub_goes();
            ground.hub.restart(setup, restarts % 2 == 1).await?;
            notes.hub_is_back();
            restarts += 1;
        }
    }
    mixture.stop_submitting().await?;
    all_ended(&notes, PATIENCE).await;
    mixture.end().await?;
    hands.stop().await?;
    let points = verdict::judge(&samples, &notes.ends());
    show::verdict(&points, soak.json)?;
    ground.end().await?;
    ensure!(points.iter().all(|point| point.good != Some(false)), "the soak was not passed; see the verdict");
    Ok(())
}
