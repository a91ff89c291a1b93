//! Agents in the stories.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sortie_agent::{Agent, AgentBuilder, AgentError, Clock, EnrollOptions, Entropy, Given, Settings, enroll};
use sortie_client::Proxy;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::hub::{NOW, TestHub};

/// A site with a data folder, whose agent can be started, stopped and killed.
pub(crate) struct Site {
    scratch: tempfile::TempDir,
    pub(crate) settings: Settings,
    clock: Clock,
}

/// An agent that runs.
pub(crate) struct Running {
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), AgentError>>,
}

/// Numbers that differ, also from one start to the next.
pub(crate) fn entropy() -> Entropy {
    static STARTS: AtomicU64 = AtomicU64::new(0);
    let start = STARTS.fetch_add(1, Ordering::Relaxed);
    let state = Mutex::new(0x9e37_79b9_7f4a_7c15_u64 ^ (start << 32));
    Entropy::new(move |buffer| {
        let mut state = state.lock().unwrap();
        for byte in buffer {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            *byte = state.to_le_bytes()[3];
        }
    })
}

impl Site {
    /// A site that has enrolled.
    pub(crate) async fn enrolled(hub: &TestHub) -> Site {
        Site::enrolled_with(hub, None).await
    }

    /// The same with operators whom it believes.
    pub(crate) async fn enrolled_with(hub: &TestHub, operators: Option<Given>) -> Site {
        let site = Site::new();
        let options = EnrollOptions { settings: site.settings.clone(), invite: hub.invite(), operators };
        enroll(options, site.clock.clone(), &entropy()).await.unwrap();
        site
    }

    pub(crate) fn new() -> Site {
        assert_eq!(Settings::default().proxy.to_proxy(), Proxy::Environment);
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path().join("data");
        let mut settings = Settings { concurrency: 2, prefetch: 2, stop_grace_s: 1, ..Settings::for_data(data) };
        settings.proxy.url = "none".into();
        Site { scratch, settings, clock: Clock::new(|| NOW) }
    }

    /// A folder of the site's, beside the agent's data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.scratch.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.settings.data.clone()
    }

    pub(crate) fn set_policy(&self, text: &str) {
        std::fs::write(self.settings.policy_path(), text).unwrap();
    }

    pub(crate) fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    pub(crate) fn builder(&self) -> AgentBuilder {
        Agent::builder(self.settings.clone(), self.clock.clone(), entropy())
    }

    pub(crate) fn start(&self) -> Running {
        self.start_with(|builder| builder)
    }

    pub(crate) fn start_with(&self, with: impl FnOnce(AgentBuilder) -> AgentBuilder) -> Running {
        let agent = with(self.builder()).build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(agent.run(async { drop(stopped.await) }));
        Running { stop: Some(stop), ended }
    }
}

impl Running {
    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.ended.await.unwrap().unwrap();
    }

    /// Ends it where it stands. Nothing more is written than what was already asked of the ledger.
    pub(crate) async fn kill(self) {
        self.ended.abort();
        assert!(self.ended.await.unwrap_err().is_cancelled());
    }
}

/// What handlers in a story note, in order.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>, Arc<tokio::sync::Notify>);

impl Journal {
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.0.lock().unwrap().push(text.into());
        self.1.notify_waiters();
    }

    pub(crate) fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until so much was noted.
    pub(crate) async fn until(&self, count: usize) -> Vec<String> {
        let looking = async {
            loop {
                let rung = self.1.notified();
                let read = self.read();
                if read.len() >= count {
                    return read;
                }
                rung.await;
            }
        };
        let found = tokio::time::timeout(std::time::Duration::from_secs(30), looking).await;
        found.unwrap_or_else(|_| panic!("never {count} notes: {:?}", self.read()))
    }
}
