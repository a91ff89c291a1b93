//! Puts an agent together.

use std::future::Future;
use std::sync::Arc;

use crate::agent::error::AgentError;
use crate::agent::live;
use crate::agent::start::start;
use crate::clock::{Clock, Entropy};
use crate::data_folder::DataFolder;
use crate::handlers::{
    Closure, Failure, Handler, Handlers, Outgoing, Output, Surroundings, Work, builtin, unusable_programs,
};
use crate::identity::Identity;
use crate::policy::PolicyWatch;
use crate::settings::Settings;

/// An enrolled agent, ready to run. It has its data folder to itself until it is dropped.
///
/// Several agents may run in one process and on one runtime, each with a data folder of its own;
/// each has one thread for its ledger.
pub struct Agent {
    pub(super) settings: Settings,
    pub(super) folder: DataFolder,
    pub(super) identity: Identity,
    pub(super) policy: PolicyWatch,
    pub(super) handlers: Handlers,
    pub(super) outgoing: Outgoing,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
}

/// An agent in the making.
pub struct AgentBuilder {
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    handlers: Handlers,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Agent({} in {})", self.identity.name(), self.folder.path().display())
    }
}

impl std::fmt::Debug for AgentBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AgentBuilder(in {})", self.settings.data.display())
    }
}

impl Agent {
    /// An agent with these settings. It has the builtin handlers.
    pub fn builder(settings: Settings, clock: Clock, entropy: Entropy) -> AgentBuilder {
        AgentBuilder { settings, clock, entropy, handlers: Handlers::new() }
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        self.identity.name()
    }

    /// Runs until `shutdown` is ready: then it takes nothing new, lets what runs finish for as long as
    /// the settings say, and closes its ledger. Whatever is left is recovered at the next start.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), AgentError> {
        let (life, folder) = start(self)?;
        let outcome = live::live(life, shutdown).await;
        drop(folder);
        outcome
    }
}

impl AgentBuilder {
    /// Adds a handler for a task type, in place of a builtin one if there is one. Whether it runs is
    /// for the site's policy to say, and whether a run of it may be repeated for the task type's pack.
    #[must_use]
    pub fn handler<F, Fut>(self, type_name: &str, run: F) -> AgentBuilder
    where
        F: Fn(Work) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Output, Failure>> + Send + 'static,
    {
        self.handler_object(type_name, Arc::new(Closure(run)))
    }

    /// The same for a handler that is more than a closure.
    #[must_use]
    pub fn handler_object(mut self, type_name: &str, handler: Arc<dyn Handler>) -> AgentBuilder {
        self.handlers.insert(type_name.to_owned(), handler);
        self
    }

    /// Takes the data folder and reads identity and policy. With a policy that cannot be used it runs nothing, and says
    /// so to the hub.
    pub fn build(self) -> Result<Agent, AgentError> {
        sortie_client::install_crypto();
        let AgentBuilder { settings, clock, entropy, handlers } = self;
        let folder = DataFolder::open(&settings.data)?;
        let identity = Identity::load(folder.path())?;
        let policy = PolicyWatch::start(settings.policy_path());
        for (table, why) in unusable_programs(&policy.now()) {
            tracing::warn!(table, why, "A program that the policy names cannot be run; what needs it will fail");
        }
        let surroundings = Surroundings {
            data: folder.path().to_owned(),
            policy: settings.policy_path(),
            ca_pem: settings.ca_pem()?,
            clock: clock.clone(),
        };
        let outgoing = surroundings.outgoing();
        let mut all = builtin(&surroundings);
        all.extend(handlers);
        Ok(Agent { settings, folder, identity, policy, handlers: all, outgoing, clock, entropy })
    }
}
