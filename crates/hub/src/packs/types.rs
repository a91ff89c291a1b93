//! Task types: what can be asked of an agent, which payloads fit, and which results.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;
use serde_json::value::RawValue;
use sortie_wire::problem::ProblemCode;
use sortie_wire::readable::is_unambiguous;
use sortie_wire::task_types::TaskType;

use crate::fault::{Fault, refuse_at};
use crate::post_steps::PostStep;

/// All task types, by name.
#[derive(Debug, Default)]
pub(crate) struct TaskTypes(pub(super) BTreeMap<String, Arc<Known>>);

/// One task type, ready to judge.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) described: TaskType,
    pub(super) payload: Validator,
    pub(super) result: Validator,
    pub(crate) post_steps: Vec<PostStep>,
}

impl TaskTypes {
    /// Every type, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &TaskType> {
        self.0.values().map(|known| &known.described)
    }

    /// The type of this name, if there is one now.
    pub(crate) fn get(&self, name: &str) -> Option<&Known> {
        self.0.get(name).map(|known| &**known)
    }

    /// The type of this name. `at` is where the request names it.
    pub(crate) fn find(&self, name: &str, at: &str) -> Result<&Known, Fault> {
        self.get(name).ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            let detail = format!("There is no task type `{shown}`; known are {}.", known.join(", "));
            refuse_at(ProblemCode::UnknownTaskType, format!("{at}/type"), detail)
        })
    }
}

impl Known {
    /// Refuses a payload that does not fit, pointing at the place. `at` is where the request has it.
    pub(crate) fn check_payload(&self, payload: &str, at: &str) -> Result<(), Fault> {
        misfit_of_text(&self.payload, payload).map_err(|(pointer, why)| {
            refuse_at(ProblemCode::PayloadInvalid, format!("{at}/payload{pointer}"), format!("{why}."))
        })?;
        // What a schema saw need not be what a handler sees: agents refuse such a payload.
        if serde_json::from_str::<&RawValue>(payload).is_ok_and(is_unambiguous) {
            return Ok(());
        }
        let detail = "An object in it has a key twice.";
        Err(refuse_at(ProblemCode::PayloadInvalid, format!("{at}/payload"), detail))
    }

    /// Says what of a result does not fit, and where.
    pub(crate) fn check_result(&self, result: &str) -> Result<(), String> {
        misfit_of_text(&self.result, result).map_err(|(pointer, why)| {
            let place = if pointer.is_empty() { "the whole of it".to_owned() } else { pointer };
            format!("the result does not fit the schema of {}: {why} (at {place})", self.described.name)
        })
    }
}

/// Where a text does not fit, and why. The sentence names the fault and not the value: payloads and
/// results do not belong in logs.
fn misfit_of_text(validator: &Validator, text: &str) -> Result<(), (String, String)> {
    let value: Value = serde_json::from_str(text).map_err(|error| (String::new(), error.to_string()))?;
    // To say yes is cheap; only a refusal pays for finding the place.
    if validator.is_valid(&value) {
        return Ok(());
    }
    match validator.iter_errors(&value).next() {
        None => Ok(()),
        Some(error) => Err((error.instance_path().to_string(), error.masked().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use crate::packs::load::base;

    #[test]
    fn a_payload_that_does_not_fit_is_pointed_at() {
        let types = base().types;
        let sleep = types.find("sleep", "").unwrap();
        sleep.check_payload(r#"{"ms": 5}"#, "").unwrap();
        let problem = sleep.check_payload(r#"{"ms": "long"}"#, "/tasks/3").unwrap_err().to_problem();
        assert_eq!(problem.pointer.as_deref(), Some("/tasks/3/payload/ms"));
        assert!(!problem.detail.contains("long"), "{}", problem.detail);
        let problem = types.find("sleeep", "").unwrap_err().to_problem();
        assert_eq!((problem.status, problem.pointer.as_deref()), (422, Some("/type")));
    }

    #[test]
    fn a_result_that_does_not_fit_is_told_without_its_value() {
        let types = base().types;
        let sleep = types.get("sleep").unwrap();
        sleep.check_result(r#"{"slept_ms": 5}"#).unwrap();
        let why = sleep.check_result(r#"{"slept_ms": "long"}"#).unwrap_err();
        assert!(why.contains("/slept_ms") && !why.contains("long"), "{why}");
    }
}
