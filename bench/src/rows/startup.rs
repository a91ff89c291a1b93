//! How long a hub takes from the start of its process until it is ready: the first time, when it makes
//! its authority and its first token, and every time after that.

use std::time::Duration;

use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;

/// How often each is tried.
const TRIES: usize = 10;

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    let mut memory = None;
    for _ in 0..TRIES {
        let folder = setup.scratch()?;
        let data = folder.path().join("hub");
        let hub = Hub::start(setup, &data).await?;
        first.push(hub.came_up_in);
        hub.stop().await?;
        let hub = Hub::start(setup, &data).await?;
        later.push(hub.came_up_in);
        memory = hub.memory();
        hub.stop().await?;
    }
    let figure = |workload, notes, times: Vec<Duration>| {
        let total = times.iter().sum();
        Figure::ours(workload, notes).counted(TRIES as u64, total).times(times).memory(memory)
    };
    Ok(vec![
        figure("startup_first", "from exec to the first 200 of /readyz; makes the authority", first),
        figure("startup_later", "from exec to the first 200 of /readyz", later),
    ])
}
