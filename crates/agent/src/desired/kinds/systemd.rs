//! Services of the machine's own manager.

use serde_json::{Map, Value, json};
use sortie_rules::desired::{ServiceSpec, Unit, read_unit};
use sortie_rules::exits::Exit;
use tokio_util::sync::CancellationToken;

use super::Look;
use crate::desired::trouble::Trouble;
use crate::handlers::command::{Answered, Places, Question, ask};
use crate::policy::Desired;

/// A service, and how its manager is asked.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) spec: &'a ServiceSpec,
    pub(super) policy: &'a Desired,
    pub(super) places: &'a Places,
    pub(super) stop: &'a CancellationToken,
}

impl Asking<'_> {
    /// Looks at it.
    pub(super) async fn look(&self) -> Result<Look, Trouble> {
        let unit = self.unit().await?;
        let mut actual = Map::new();
        let mut parts = Vec::new();
        if unit.runs != self.spec.runs {
            parts.push("state");
            actual.insert("state".to_owned(), json!(if unit.runs { "running" } else { "stopped" }));
        }
        if self.spec.enabled.is_some_and(|wanted| unit.enabled != Some(wanted)) {
            parts.push("enabled");
            actual.insert("enabled".to_owned(), unit.enabled.map_or(Value::Null, Value::Bool));
        }
        // What the manager does not know does not run, and that may be just right.
        if !unit.is_known && (self.spec.runs || self.spec.enabled == Some(true)) {
            let message = format!("the service manager of this machine knows no service {}", self.spec.service);
            return Err(Trouble::failed("no_such_service", message));
        }
        if !unit.is_known {
            return Ok(Look::InOrder);
        }
        Ok(Look::parts(&parts, actual))
    }

    /// Makes it so.
    pub(super) async fn apply(&self) -> Result<(), Trouble> {
        let unit = self.unit().await?;
        if let Some(wanted) = self.spec.enabled
            && unit.enabled != Some(wanted)
        {
            self.say(if wanted { "enable" } else { "disable" }).await?;
        }
        if unit.runs != self.spec.runs {
            self.say(if self.spec.runs { "start" } else { "stop" }).await?;
        }
        Ok(())
    }

    async fn unit(&self) -> Result<Unit, Trouble> {
        let answered = self.ask(&["show", "--property=LoadState,ActiveState,UnitFileState", "--"]).await?;
        let unit = std::str::from_utf8(&answered.output).ok().and_then(read_unit);
        unit.ok_or_else(|| {
            Trouble::failed("no_service_manager", format!("the service manager does not tell: {}", answered.in_words()))
        })
    }

    async fn say(&self, verb: &str) -> Result<(), Trouble> {
        let answered = self.ask(&[verb, "--"]).await?;
        match (answered.cut, answered.exit) {
            (None, Exit::Code(0)) => Ok(()),
            _ => Err(Trouble::failed("apply_failed", format!("systemctl {verb}: {}", answered.in_words()))),
        }
    }

    async fn ask(&self, words: &[&str]) -> Result<Answered, Trouble> {
        let words: Vec<&str> = words.iter().copied().chain([self.spec.service.as_str()]).collect();
        let name = format!("service.{}", self.spec.service.replace('/', "-"));
        let question = Question {
            command: &self.policy.systemctl(&words),
            variables: Vec::new(),
            input: Vec::new(),
            name: &name,
            lasts: false,
            places: self.places,
            stop: self.stop,
        };
        ask(question, || ()).await.map_err(|why| Trouble::failed("no_service_manager", why))
    }
}
