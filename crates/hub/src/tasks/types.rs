//! Task types: what can be asked of an agent, and which payloads fit. They come from packs; the
//! base pack is part of the program.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;
use sortie_rules::limits::{LEASE_MAX, LEASE_MIN, RETRIES_MAX};
use sortie_rules::names::check_type_name;
use sortie_rules::time::Span;
use sortie_wire::problem::ProblemCode;
use sortie_wire::task_types::TaskType;

use crate::fault::{Fault, refuse_at};

macro_rules! base {
    ($file:literal) => {
        include_str!(concat!("../../../../packs/base/", $file))
    };
}

/// The base pack's own file.
const BASE_PACK: &str = base!("pack.toml");
/// Its schemas, by file name.
const BASE_SCHEMAS: [(&str, &str); 10] = [
    ("sys.info.payload.json", base!("schemas/sys.info.payload.json")),
    ("sys.info.result.json", base!("schemas/sys.info.result.json")),
    ("file.checksum.payload.json", base!("schemas/file.checksum.payload.json")),
    ("file.checksum.result.json", base!("schemas/file.checksum.result.json")),
    ("file.append.payload.json", base!("schemas/file.append.payload.json")),
    ("file.append.result.json", base!("schemas/file.append.result.json")),
    ("http.check.payload.json", base!("schemas/http.check.payload.json")),
    ("http.check.result.json", base!("schemas/http.check.result.json")),
    ("sleep.payload.json", base!("schemas/sleep.payload.json")),
    ("sleep.result.json", base!("schemas/sleep.result.json")),
];

/// A pack that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("pack `{pack}`: {why}")]
pub struct TypesError {
    pack: String,
    why: String,
}

/// All task types.
#[derive(Debug)]
pub(crate) struct TaskTypes(BTreeMap<String, Known>);

/// One task type, ready to judge payloads.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) described: TaskType,
    payload: Validator,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackFile {
    name: String,
    task_types: Vec<TypeEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeEntry {
    name: String,
    summary: String,
    idempotent: bool,
    lease_s: u32,
    max_retries: u32,
    payload: String,
    result: String,
}

impl TaskTypes {
    /// The types of the base pack.
    pub(crate) fn base() -> Result<TaskTypes, TypesError> {
        TaskTypes::read(BASE_PACK, |file| {
            BASE_SCHEMAS.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned())
        })
    }

    fn read(pack: &str, schema: impl Fn(&str) -> Option<String>) -> Result<TaskTypes, TypesError> {
        let file: PackFile =
            toml::from_str(pack).map_err(|error| TypesError { pack: "?".to_owned(), why: error.to_string() })?;
        let fail = |why: String| TypesError { pack: file.name.clone(), why };
        let mut types = BTreeMap::new();
        for entry in &file.task_types {
            let known = read_type(&file.name, entry, &schema).map_err(&fail)?;
            if types.insert(entry.name.clone(), known).is_some() {
                return Err(fail(format!("task type `{}` is there twice", entry.name)));
            }
        }
        Ok(TaskTypes(types))
    }

    /// Every type, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &TaskType> {
        self.0.values().map(|known| &known.described)
    }

    /// The type of this name. `at` is where the request names it.
    pub(crate) fn find(&self, name: &str, at: &str) -> Result<&Known, Fault> {
        self.0.get(name).ok_or_else(|| {
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
        let value: Value = serde_json::from_str(payload)
            .map_err(|error| refuse_at(ProblemCode::PayloadInvalid, format!("{at}/payload"), format!("{error}.")))?;
        // To say yes is cheap; only a refusal pays for finding the place.
        if self.payload.is_valid(&value) {
            return Ok(());
        }
        match self.payload.iter_errors(&value).next() {
            None => Ok(()),
            Some(error) => {
                let pointer = format!("{at}/payload{}", error.instance_path());
                // The sentence names the fault, not the value: payloads do not belong in logs.
                let detail = format!("{}.", error.masked());
                Err(refuse_at(ProblemCode::PayloadInvalid, pointer, detail))
            }
        }
    }
}

fn read_type(pack: &str, entry: &TypeEntry, schema: impl Fn(&str) -> Option<String>) -> Result<Known, String> {
    check_type_name(&entry.name).map_err(|error| error.to_string())?;
    let lease = Span::seconds(entry.lease_s.into());
    if !(LEASE_MIN..=LEASE_MAX).contains(&lease) || entry.max_retries > RETRIES_MAX {
        return Err(format!("task type `{}`: lease_s or max_retries is out of bounds", entry.name));
    }
    let read = |file: &str| -> Result<Value, String> {
        let text = schema(file).ok_or_else(|| format!("the schema {file} is missing"))?;
        serde_json::from_str(&text).map_err(|error| format!("the schema {file}: {error}"))
    };
    let payload_schema = read(&entry.payload)?;
    let payload = jsonschema::validator_for(&payload_schema).map_err(|error| format!("{}: {error}", entry.payload))?;
    let described = TaskType {
        name: entry.name.clone(),
        pack: pack.to_owned(),
        summary: entry.summary.clone(),
        idempotent: entry.idempotent,
        lease,
        max_retries: entry.max_retries,
        payload_schema,
        result_schema: read(&entry.result)?,
    };
    Ok(Known { described, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_pack_is_sound() {
        let types = TaskTypes::base().unwrap();
        assert_eq!(types.all().count(), BASE_SCHEMAS.len() / 2);
        assert!(!types.find("file.append", "").unwrap().described.idempotent);
    }

    #[test]
    fn a_payload_that_does_not_fit_is_pointed_at() {
        let types = TaskTypes::base().unwrap();
        let sleep = types.find("sleep", "").unwrap();
        sleep.check_payload(r#"{"ms": 5}"#, "").unwrap();
        let problem = sleep.check_payload(r#"{"ms": "long"}"#, "/tasks/3").unwrap_err().to_problem();
        assert_eq!(problem.pointer.as_deref(), Some("/tasks/3/payload/ms"));
        assert!(!problem.detail.contains("long"), "{}", problem.detail);
        let problem = types.find("sleeep", "").unwrap_err().to_problem();
        assert_eq!((problem.status, problem.pointer.as_deref()), (422, Some("/type")));
    }
}
