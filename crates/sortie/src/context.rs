//! What every command is handed: where to print, the clock, randomness, the environment.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sortie_client::people::{Hub, Token};
use sortie_client::retry::Patience;
use sortie_client::{Clock, Connect, Entropy};
use sortie_rules::time::Span;

use crate::exit::Failure;
use crate::find_hub::sign_in::{self, SignIn};
use crate::find_hub::{Found, HubOptions, Source, find};
use crate::output::Output;

/// The environment, as far as commands look at it. An empty variable counts as not set.
#[derive(Clone)]
pub(crate) struct Env(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Env {
    /// The process's own.
    pub(crate) fn process() -> Env {
        Env(Arc::new(|name| std::env::var(name).ok()))
    }

    /// One of one's own.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Env {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: std::collections::BTreeMap<String, String> = variables.iter().map(own).collect();
        Env(Arc::new(move |name| variables.get(name).cloned()))
    }

    /// A variable's value.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

/// What every command is handed.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Where to print.
    pub(crate) output: Output,
    /// The time.
    pub(crate) clock: Clock,
    /// Randomness.
    pub(crate) entropy: Entropy,
    /// The environment.
    pub(crate) env: Env,
    /// The options that named the hub, as a person would type them again.
    pub(crate) named_by: String,
    /// Where the hub and its token were found, once they were.
    pub(crate) source: Arc<OnceLock<Source>>,
}

/// How long a command tries to get its answer: a hub that is just being restarted is back by then.
const PATIENCE: Span = Span::seconds(4);
/// How long a command that waits for something bears with a hub that is away.
const PATIENCE_IN_A_WAIT: Span = Span::minutes(10);

impl Context {
    /// A command to type next, at the same hub as this one.
    pub(crate) fn next_command(&self, words: &str) -> String {
        format!("sortie {words}{}", self.named_by)
    }

    /// The hub that the options name.
    pub(crate) fn hub(&self, options: &HubOptions) -> Result<Hub, Failure> {
        self.open(&self.find(options)?, PATIENCE)
    }

    /// The same, for a command that waits: it outlasts a restart of the hub.
    pub(crate) fn patient_hub(&self, options: &HubOptions) -> Result<Hub, Failure> {
        self.open(&self.find(options)?, PATIENCE_IN_A_WAIT)
    }

    /// Where the hub is that the options name, and a token that holds for a while.
    pub(crate) fn find(&self, options: &HubOptions) -> Result<Found, Failure> {
        let found = find(options, &self.env)?;
        let _ = self.source.set(found.source.clone());
        let Some((path, profile)) = &found.sign_in else { return Ok(found) };
        match self.renewed(path, profile)? {
            Some(sign_in) => Ok(Found { token: Token(sign_in.access_token), ..found }),
            None => Err(sign_in::ended(profile)),
        }
    }

    /// A sign-in, renewed if it is near its end; none if it has ended for good.
    pub(crate) fn renewed(&self, path: &Path, profile: &str) -> Result<Option<SignIn>, Failure> {
        let renew = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime =
                runtime.map_err(|error| Failure::other(format!("the program cannot start its runtime: {error}")))?;
            runtime.block_on(sign_in::fresh(path, profile, &self.clock))
        };
        // On a thread of its own: most commands are in a runtime already, and each finds its hub first.
        std::thread::scope(|scope| scope.spawn(renew).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// A hub that was found.
    pub(crate) fn open(&self, found: &Found, total: Span) -> Result<Hub, Failure> {
        let connect = Connect::new(found.hub.clone(), found.trust.clone(), self.clock.clone());
        let patience = Patience { total, entropy: self.entropy.clone() };
        Ok(Hub::open(&connect, found.token.clone(), patience)?)
    }
}
