//! Real agents in this process: each enrolled over TLS, with its own certificate, folder and ledger.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use sortie_agent::{Agent, EnrollOptions, Handler, Settings, enroll};
use sortie_rules::limits::TASKS_PER_DELIVERY_MAX;
use sortie_wire::invites::CreateInvite;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;
use crate::machine::{clock, entropy};
use crate::work;

/// Agents that are enrolled and do not run.
pub(crate) struct Fleet {
    sites: Vec<Settings>,
}

/// Agents that run.
pub(crate) struct Running {
    agents: JoinSet<Result<(), sortie_agent::AgentError>>,
    stop: CancellationToken,
}

/// An invite for a node of this name.
pub(crate) async fn invite(hub: &Hub, name: String) -> anyhow::Result<String> {
    invite_by(hub, name, None).await
}

/// The same with another address of the hub's.
async fn invite_by(hub: &Hub, name: String, address: Option<String>) -> anyhow::Result<String> {
    let ask = CreateInvite { hub: address, ..ask_for_invite(name) };
    Ok(hub.line()?.create_invite(&ask, None).await?.invite)
}

/// What is asked for when one is to be made.
pub(crate) fn ask_for_invite(node: String) -> CreateInvite {
    let labels = Default::default();
    CreateInvite { node, site: None, host: None, kind: None, labels, valid_for: None, replace: false, hub: None }
}

impl Fleet {
    /// Enrols so many nodes. Their data goes below `folder`.
    pub(crate) async fn enroll(hub: &Hub, folder: &Path, count: usize) -> anyhow::Result<Fleet> {
        Fleet::enroll_some(hub, None, folder, 0..count).await
    }

    /// The nodes with these numbers, whose agents reach the hub at this address.
    pub(crate) async fn enroll_some(
        hub: &Hub,
        address: Option<&str>,
        folder: &Path,
        numbers: Range<usize>,
    ) -> anyhow::Result<Fleet> {
        let mut sites = Vec::with_capacity(numbers.len());
        for number in numbers {
            let name = work::node(number);
            let mut settings = Settings {
                // A delivery of the largest size is taken while another is at work.
                concurrency: TASKS_PER_DELIVERY_MAX,
                prefetch: TASKS_PER_DELIVERY_MAX,
                ..Settings::for_data(folder.join(&name))
            };
            settings.proxy.url = "none".to_owned();
            let invite = invite_by(hub, name, address.map(str::to_owned)).await?.parse()?;
            enroll(EnrollOptions { settings: settings.clone(), invite, operators: None }, clock(), &entropy()).await?;
            sites.push(settings);
        }
        Ok(Fleet { sites })
    }

    /// What each of them is started with.
    pub(crate) fn sites(&self) -> &[Settings] {
        &self.sites
    }

    /// Starts them all, with this handler for the bench's work.
    pub(crate) fn start(&self, handler: &Arc<dyn Handler>) -> anyhow::Result<Running> {
        let (mut agents, stop) = (JoinSet::new(), CancellationToken::new());
        for settings in &self.sites {
            let builder = Agent::builder(settings.clone(), clock(), entropy());
            let agent = builder.handler_object(work::TYPE, Arc::clone(handler)).build()?;
            agents.spawn(agent.run(stop.clone().cancelled_owned()));
        }
        Ok(Running { agents, stop })
    }
}

impl Running {
    /// Stops them all in the orderly way.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(ended) = self.agents.join_next().await {
            ended?.context("an agent ended badly")?;
        }
        Ok(())
    }
}
