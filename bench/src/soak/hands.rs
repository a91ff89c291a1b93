//! The agents of a soak: the real library with its ledger, each started and stopped by itself.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sortie_agent::{Agent, Handler, HandlerFuture, Settings, Work};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::notes::Notes;
use crate::machine::{clock, entropy};
use crate::work;

/// How long each task takes.
const WORK: Duration = Duration::from_millis(5);
/// Lines of log that each task writes.
const LINES: usize = 3;

/// Notes when work begins, writes a little log and does nothing for a moment.
struct Hand(Arc<Notes>);

/// All agents; the one at the front is restarted next.
pub(super) struct Hands {
    notes: Arc<Notes>,
    agents: VecDeque<Running>,
}

struct Running {
    settings: Settings,
    stop: CancellationToken,
    agent: JoinHandle<Result<(), sortie_agent::AgentError>>,
}

impl Handler for Hand {
    fn run(&self, work: Work) -> HandlerFuture {
        if let Some(number) = work::number(&work.payload) {
            self.0.began(number);
        }
        Box::pin(async move {
            for line in 0..LINES {
                work.log.write(format!("line {line} of run {} of {}\n", work.run, work.task).as_bytes());
            }
            tokio::time::sleep(WORK).await;
            work::result()
        })
    }
}

impl Hands {
    /// Starts an agent for each of these.
    pub(super) fn start(sites: &[Settings], notes: &Arc<Notes>) -> anyhow::Result<Hands> {
        let agents = sites.iter().map(|settings| start(settings.clone(), notes)).collect::<anyhow::Result<_>>()?;
        Ok(Hands { notes: Arc::clone(notes), agents })
    }

    /// Stops one in the orderly way, and starts it again.
    pub(super) async fn restart_one(&mut self) -> anyhow::Result<()> {
        if let Some(running) = self.agents.pop_front() {
            let settings = running.settings.clone();
            running.stop().await?;
            self.agents.push_back(start(settings, &self.notes)?);
        }
        Ok(())
    }

    /// Stops all.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.agents.iter().for_each(|running| running.stop.cancel());
        for running in self.agents {
            running.stop().await?;
        }
        Ok(())
    }
}

impl Running {
    async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.agent.await??)
    }
}

fn start(settings: Settings, notes: &Arc<Notes>) -> anyhow::Result<Running> {
    let stop = CancellationToken::new();
    let handler: Arc<dyn Handler> = Arc::new(Hand(Arc::clone(notes)));
    let agent = Agent::builder(settings.clone(), clock(), entropy()).handler_object(work::TYPE, handler).build()?;
    let agent = tokio::spawn(agent.run(stop.clone().cancelled_owned()));
    Ok(Running { settings, stop, agent })
}
