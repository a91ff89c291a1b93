//! What the nodes are given to do, and what they give back: as large as what the peers are measured
//! with, 200 bytes to do and 100 bytes of result.

use serde::Deserialize;
use serde_json::value::RawValue;
use sortie_agent::{Failure, Output};

/// The task type that stands for all work. Agents of the bench bring a handler of their own for it.
pub(crate) const TYPE: &str = "sleep";
/// Where one task is submitted.
pub(crate) const ONE: &str = "/api/v1/tasks";
/// Where many are.
pub(crate) const MANY: &str = "/api/v1/tasks/batch";

const PAD: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
/// What a node gives back.
pub(crate) const RESULT: &str =
    r#"{"slept_ms":0,"note":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}"#;

/// The name of a node.
pub(crate) fn node(number: usize) -> String {
    format!("bench-{number}")
}

/// Task number so-and-so, for the nodes in turn.
pub(crate) fn task(number: u64, nodes: usize) -> String {
    task_for(number as usize % nodes, number)
}

fn task_for(node: usize, number: u64) -> String {
    let note = format!("{number} run_command host-{node:06} 2026-01-01T00:00:00.000000000Z {PAD}");
    format!(r#"{{"type":"{TYPE}","node":"bench-{node}","payload":{{"ms":0,"note":"{note}"}}}}"#)
}

/// So many tasks in one request: all for one node, whose turn it is, or mixed, each for the next.
pub(crate) fn batch(first: u64, count: u64, nodes: usize, mixed: bool) -> String {
    let turn = (first / count) as usize % nodes;
    let one = |number| if mixed { task(number, nodes) } else { task_for(turn, number) };
    let tasks: Vec<String> = (first..first + count).map(one).collect();
    format!(r#"{{"tasks":[{}]}}"#, tasks.join(","))
}

/// Which task a payload belongs to.
pub(crate) fn number(payload: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Payload<'a> {
        note: &'a str,
    }
    let payload: Payload<'_> = serde_json::from_str(payload.get()).ok()?;
    payload.note.split(' ').next()?.parse().ok()
}

/// What a handler gives.
pub(crate) fn result() -> Result<Output, Failure> {
    RawValue::from_string(RESULT.to_owned())
        .map(Output::json)
        .map_err(|error| Failure::failed("bench", error.to_string(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_wire::tasks::{SubmitBatch, SubmitTask};

    #[test]
    fn a_task_is_what_the_hub_takes_and_as_large_as_the_peers_is() {
        let task: SubmitTask = serde_json::from_str(&task(70, 32)).unwrap();
        let payload = task.payload.unwrap();
        assert_eq!((task.node.as_str(), number(&payload)), ("bench-6", Some(70)));
        assert!((150..=220).contains(&payload.get().len()), "{}", payload.get().len());
        assert!((90..=110).contains(&RESULT.len()), "{}", RESULT.len());
        let batch: SubmitBatch = serde_json::from_str(&batch(300, 100, 32, false)).unwrap();
        assert!(batch.tasks.len() == 100 && batch.tasks.iter().all(|task| task.node == "bench-3"));
    }
}
