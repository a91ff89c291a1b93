//! Facts of the machine: what `sys.info` tells, once a day, and when something of it changes that does not change all
//! the time.

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use sortie_rules::backoff::jittered;
use sortie_rules::limits::{FACTS_EVERY, FACTS_LOOKED_AT_EVERY};
use sortie_wire::reports::SendReport;

use super::all::Reports;
use crate::clock::Steady;
use crate::handlers::info;

/// The kind of these reports.
const FACTS: &str = "facts";
/// Who says it.
const AGENT: &str = "agent";
/// What changes all the time, and is told only together with the rest.
const RESTLESS: [&str; 3] = ["/uptime_s", "/memory_available_bytes", "/data_disk/available_bytes"];

impl Reports {
    /// Looks for ever.
    pub(super) async fn tell_facts(&self) {
        let mut policy = self.runner.policy.changes();
        let mut told: Option<(Value, Steady)> = None;
        loop {
            policy.borrow_and_update();
            if self.runner.policy.now().reports.facts {
                let data = self.data.clone();
                match tokio::task::spawn_blocking(move || info(&data)).await {
                    Ok(Ok(info)) => {
                        let resting = resting(json!(info));
                        let is_due = told.as_ref().is_none_or(|(before, at)| {
                            *before != resting || at.elapsed() >= jittered(FACTS_EVERY, self.runner.entropy.draw())
                        });
                        if is_due {
                            self.put(&info);
                            told = Some((resting, Steady::now()));
                        }
                    }
                    Ok(Err(error)) => tracing::warn!(%error, "facts of this machine could not be gathered"),
                    Err(error) => tracing::error!(%error, "facts of this machine could not be gathered"),
                }
            }
            let every = jittered(FACTS_LOOKED_AT_EVERY, self.runner.entropy.draw());
            tokio::select! {
                () = tokio::time::sleep(every.to_std()) => {}
                // The sender lives as long as this.
                _ = policy.changed() => {}
            }
        }
    }

    fn put(&self, info: &impl serde::Serialize) {
        match to_raw_value(info) {
            Ok(facts) => self.outbox.put(SendReport {
                kind: FACTS.to_owned(),
                subject: None,
                taken_at: self.runner.clock.now(),
                source: AGENT.to_owned(),
                facts,
            }),
            Err(error) => tracing::error!(%error, "facts of this machine cannot be written as JSON"),
        }
    }
}

fn resting(mut facts: Value) -> Value {
    for pointer in RESTLESS {
        if let Some(value) = facts.pointer_mut(pointer) {
            *value = Value::Null;
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_all_the_time_is_there_and_does_not_count() {
        let facts = json!(info(std::path::Path::new("/")).unwrap());
        for pointer in RESTLESS {
            assert!(facts.pointer(pointer).is_some_and(Value::is_number), "{pointer}");
            assert_eq!(resting(facts.clone()).pointer(pointer), Some(&Value::Null));
        }
        assert_eq!(resting(facts.clone())["hostname"], facts["hostname"]);
    }
}
