//! Kinds that the agent does not know: the site's own programs check and apply their resources.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sortie_rules::desired::ResourceKey;
use sortie_rules::exits::Exit;
use tokio_util::sync::CancellationToken;

use super::Look;
use crate::desired::trouble::Trouble;
use crate::handlers::command::{Answered, Places, Question, ask};
use crate::policy::{Applier, Command};

/// One resource, and what does its work.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) applier: &'a Applier,
    pub(super) key: &'a ResourceKey,
    /// Its spec, with its secrets.
    pub(super) spec: &'a Map<String, Value>,
    pub(super) places: &'a Places,
    pub(super) stop: &'a CancellationToken,
}

/// What a check may say.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    message: Option<String>,
    actual: Map<String, Value>,
}

impl Asking<'_> {
    /// Asks whether it is as it should be.
    pub(super) async fn look(&self) -> Result<Look, Trouble> {
        let failed = |why: String| Trouble::failed("check_failed", format!("its check: {why}"));
        let answered = self.run(&self.applier.check, "check").await.map_err(failed)?;
        match (answered.cut, answered.exit) {
            (None, Exit::Code(0)) => Ok(Look::InOrder),
            (None, Exit::Code(1)) => {
                // A check that says no more than that is one, too.
                let said: Said = serde_json::from_slice(&answered.output).unwrap_or_default();
                let words = Some(answered.last_words).filter(|words| !words.is_empty());
                let message =
                    said.message.or(words).unwrap_or_else(|| "its check says that it is otherwise".to_owned());
                Ok(Look::Otherwise { message, actual: said.actual })
            }
            _ => Err(failed(answered.in_words())),
        }
    }

    /// Has it made so.
    pub(super) async fn apply(&self) -> Result<(), Trouble> {
        let failed = |why: String| Trouble::failed("apply_failed", format!("its apply: {why}"));
        let answered = self.run(&self.applier.apply, "apply").await.map_err(failed)?;
        match (answered.cut, answered.exit) {
            (None, Exit::Code(0)) => Ok(()),
            _ => Err(failed(answered.in_words())),
        }
    }

    async fn run(&self, command: &Command, step: &str) -> Result<Answered, String> {
        let input = json!({ "resource": self.key, "spec": self.spec }).to_string().into_bytes();
        let variables = vec![("SORTIE_RESOURCE", self.key.to_string()), ("SORTIE_STEP", step.to_owned())];
        let name = format!("resource.{}.{}", self.key.kind, self.key.name);
        let question =
            Question { command, variables, input, name: &name, lasts: false, places: self.places, stop: self.stop };
        ask(question, || ()).await
    }
}
