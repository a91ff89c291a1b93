//! P6, the second half: thousands of agents hold their waits when the hub is killed, and all come back.

use std::time::Instant;

use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;
use crate::process::processor_seconds;
use crate::swarm::Swarm;

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let mut hub = Hub::start(setup, &folder.path().join("hub")).await?;
    let count = setup.swarm;
    let mut swarm = Swarm::start(&hub, count).await?;
    swarm.hub_goes();
    hub.restart(setup, true).await?;
    let ready = Instant::now();
    swarm.all_wait().await?;
    let time = ready.elapsed();
    let (failed, given_up) = swarm.failed();
    let each = 1e6 * processor_seconds(hub.pid()) / count as f64;
    let notes = format!(
        "{count} agents wait again, each over a full mutual handshake, counted from the hub's first readiness {:.0} ms \
         after its start; {:.2} calls of each failed, {:.2} of them after a long wait; the hub's processor {each:.0} \
         us for each",
        hub.came_up_in.as_secs_f64() * 1000.0,
        failed as f64 / count as f64,
        given_up as f64 / count as f64,
    );
    let figure = Figure::ours("reconnect_storm", notes).counted(count as u64, time).memory(hub.memory());
    swarm.end();
    hub.stop().await?;
    Ok(vec![figure])
}
