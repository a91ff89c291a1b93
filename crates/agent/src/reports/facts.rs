//! Facts of the machine: what `sys.info` tells, once a day, and when something of it changes that does not change all
//! the time.

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use sortie_rules::backoff::jittered;
use sortie_rules::disks::{fullness_step, used_percent};
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
/// How full the disk is, which is told at once when it crosses a step.
const USED: &str = "/data_disk/used_percent";

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
                        let facts = with_fullness(json!(info));
                        let resting = resting(facts.clone());
                        let is_due = told.as_ref().is_none_or(|(before, at)| {
                            *before != resting || at.elapsed() >= jittered(FACTS_EVERY, self.runner.entropy.draw())
                        });
                        if is_due {
                            self.put(&facts);
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

    fn put(&self, facts: &Value) {
        match to_raw_value(facts) {
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

/// The facts, and how full the disk with the agent's data is. A report may say more than the result of a task may,
/// which an older hub would not take.
fn with_fullness(mut facts: Value) -> Value {
    let bytes = |name: &str| facts["data_disk"][name].as_u64().unwrap_or(0);
    let percent = used_percent(bytes("total_bytes"), bytes("available_bytes"));
    facts["data_disk"]["used_percent"] = percent.into();
    facts
}

/// What of the facts counts as a change: of a disk, that it comes to be much fuller or emptier.
fn resting(mut facts: Value) -> Value {
    if let Some(percent) = facts.pointer_mut(USED) {
        *percent = fullness_step(percent.as_u64().unwrap_or(0)).into();
    }
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
        let facts = with_fullness(json!(info(std::path::Path::new("/")).unwrap()));
        for pointer in RESTLESS {
            assert!(facts.pointer(pointer).is_some_and(Value::is_number), "{pointer}");
            assert_eq!(resting(facts.clone()).pointer(pointer), Some(&Value::Null));
        }
        assert_eq!(resting(facts.clone())["hostname"], facts["hostname"]);
    }

    #[test]
    fn a_disk_that_comes_to_be_nearly_full_counts_and_one_that_fills_slowly_does_not() {
        let facts = |available: u64| {
            let disk = json!({ "total_bytes": 1000, "available_bytes": available });
            with_fullness(json!({ "data_disk": disk }))
        };
        assert_eq!(facts(95).pointer(USED), Some(&json!(91)));
        assert_eq!(resting(facts(500)), resting(facts(300)));
        assert_ne!(resting(facts(101)), resting(facts(95)));
        assert_eq!(resting(facts(95)), resting(facts(60)));
    }
}
