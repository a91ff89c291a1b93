//! Services that the agent runs itself: programs that the policy names. One that ends is started again, after waits
//! that grow; one that is stopped is stopped with all that it began. None of them outlives the agent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;
use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Look;
use crate::clock::{Entropy, Steady};
use crate::desired::trouble::Trouble;
use crate::handlers::command::{Places, Question, ask};
use crate::policy::Command;

/// How the waits before another start grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(5) };
/// A program that has run for so long is not counted among those that end at once.
const RUNS_WELL_AFTER: Span = Span::minutes(1);
/// A program that has run for so long does run; before that it starts.
const RUNS_AFTER: Span = Span::seconds(2);
/// How long a start, or a stop beyond the program's own grace, is waited for.
const SETTLES_WITHIN: Span = Span::seconds(10);

/// The services that the agent runs.
#[derive(Debug)]
pub(crate) struct Supervisor {
    running: Mutex<BTreeMap<String, Supervised>>,
    places: Places,
    entropy: Entropy,
    /// Rings when one of them begins or ends by itself.
    pub(crate) bell: Arc<Notify>,
    all: TaskTracker,
    /// Rings when the agent ends.
    stop: CancellationToken,
}

#[derive(Debug)]
struct Supervised {
    command: Command,
    stop: CancellationToken,
    state: watch::Receiver<State>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It has only just begun, and may not stay.
    Starting,
    Running,
    /// It has ended by itself, in these words, and will be started again.
    Resting(String),
    Stopped,
}

impl Supervisor {
    /// Nothing runs yet. All of it ends when `stop` rings.
    pub(crate) fn new(places: Places, entropy: Entropy, stop: CancellationToken) -> Supervisor {
        let (running, bell, all) = (Mutex::default(), Arc::default(), TaskTracker::new());
        Supervisor { running, places, entropy, bell, all, stop }
    }

    /// Whether a service is as it should be.
    pub(super) fn look(&self, name: &str, command: &Command, runs: bool) -> Look {
        let running = self.lock();
        let there = running.get(name).filter(|there| *there.state.borrow() != State::Stopped);
        match (there, runs) {
            (None, false) => Look::InOrder,
            (None, true) => Look::otherwise("it does not run", [("state", json!("stopped"))]),
            (Some(_), false) => Look::otherwise("it runs", [("state", json!("running"))]),
            (Some(there), true) if there.command != *command => {
                Look::otherwise("it runs as the policy said before", [("state", json!("running"))])
            }
            (Some(there), true) => match &*there.state.borrow() {
                State::Running => Look::InOrder,
                State::Resting(why) => {
                    let message = format!("it does not stay: {why}; it will be started again");
                    Look::Otherwise { message, actual: [("state".to_owned(), json!("stopped"))].into_iter().collect() }
                }
                State::Starting | State::Stopped => Look::otherwise("it starts", [("state", json!("stopped"))]),
            },
        }
    }

    /// Starts or stops it, and waits until it has.
    pub(super) async fn apply(&self, name: &str, command: &Command, runs: bool) -> Result<(), Trouble> {
        let is_other = |there: &Supervised| there.command != *command || *there.state.borrow() == State::Stopped;
        let stops = self.lock().get(name).is_some_and(|there| !runs || is_other(there));
        if stops {
            self.stop(name).await?;
        }
        if runs {
            let mut state = self.begin(name, command);
            let begun = state.wait_for(|state| *state != State::Starting);
            let _looked_at_again = tokio::time::timeout(SETTLES_WITHIN.to_std(), begun).await;
        }
        Ok(())
    }

    /// Stops what the policy does not name any more, or names as another program.
    pub(crate) async fn keep_only(&self, programs: &BTreeMap<String, Command>) {
        let gone =
            |(name, there): (&String, &Supervised)| (programs.get(name) != Some(&there.command)).then(|| name.clone());
        let gone: Vec<String> = self.lock().iter().filter_map(gone).collect();
        for name in gone {
            tracing::info!(service = name, "the policy does not name this service so any more; it is stopped");
            if let Err(trouble) = self.stop(&name).await {
                tracing::warn!(service = name, "{}", trouble.message);
            }
        }
    }

    /// Waits until everything has ended, once the agent's end was rung.
    pub(crate) async fn ended(&self) {
        self.all.close();
        self.all.wait().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Supervised>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn stop(&self, name: &str) -> Result<(), Trouble> {
        let there =
            self.lock().get(name).map(|there| (there.stop.clone(), there.state.clone(), there.command.stop_grace));
        let Some((stop, mut state, grace)) = there else { return Ok(()) };
        stop.cancel();
        let ended = state.wait_for(|state| *state == State::Stopped);
        if tokio::time::timeout((grace + SETTLES_WITHIN).to_std(), ended).await.is_err() {
            return Err(Trouble::failed("hangs", "it was told to end and does not"));
        }
        self.lock().remove(name);
        Ok(())
    }

    fn begin(&self, name: &str, command: &Command) -> watch::Receiver<State> {
        let mut running = self.lock();
        if let Some(there) = running.get(name) {
            return there.state.clone();
        }
        let stop = self.stop.child_token();
        let (tell, state) = watch::channel(State::Starting);
        let keeper = Keeper {
            name: name.to_owned(),
            command: command.clone(),
            places: self.places.clone(),
            entropy: self.entropy.clone(),
            bell: Arc::clone(&self.bell),
            stop: stop.clone(),
            tell,
        };
        self.all.spawn(keeper.keep());
        running.insert(name.to_owned(), Supervised { command: command.clone(), stop, state: state.clone() });
        state
    }
}

/// Keeps one service running until it is told to stop.
struct Keeper {
    name: String,
    command: Command,
    places: Places,
    entropy: Entropy,
    bell: Arc<Notify>,
    stop: CancellationToken,
    tell: watch::Sender<State>,
}

impl Keeper {
    async fn keep(self) {
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let begun = Steady::now();
            let why = self.run().await;
            if self.stop.is_cancelled() {
                break;
            }
            failures = if begun.elapsed() > RUNS_WELL_AFTER { 1 } else { failures + 1 };
            let wait = BACKOFF.wait(failures, self.entropy.draw());
            tracing::warn!(service = self.name, wait_ms = wait.0, "a service has ended, and is started again: {why}");
            self.tell.send_replace(State::Resting(why));
            self.bell.notify_one();
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                () = self.stop.cancelled() => {}
            }
        }
        self.tell.send_replace(State::Stopped);
    }

    /// Runs it once, and says how it ended.
    async fn run(&self) -> String {
        let name = format!("service.{}", self.name.replace('/', "-"));
        let question = Question {
            command: &self.command,
            variables: vec![("SORTIE_SERVICE", self.name.clone())],
            input: Vec::new(),
            name: &name,
            lasts: true,
            places: &self.places,
            stop: &self.stop,
        };
        self.tell.send_replace(State::Starting);
        let begun = Notify::new();
        let stays = async {
            begun.notified().await;
            tokio::time::sleep(RUNS_AFTER.to_std()).await;
            tracing::info!(service = self.name, "a service runs");
            self.tell.send_replace(State::Running);
            self.bell.notify_one();
            std::future::pending::<String>().await
        };
        let runs = async {
            match ask(question, || begun.notify_one()).await {
                Ok(answered) => answered.in_words(),
                Err(why) => why,
            }
        };
        tokio::select! {
            ended = runs => ended,
            never = stays => never,
        }
    }
}
