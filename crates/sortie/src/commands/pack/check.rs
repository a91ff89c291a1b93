//! `sortie pack check`: every mistake of a pack, with its place.

use std::path::Path;

use serde_json::json;
use sortie_hub::packs::{Checked, check_folder};

use crate::exit::{Done, Exit, Failure};
use crate::output::Output;

/// Looks at a pack and prints what is wrong with it.
pub(super) fn run(folder: &Path, output: Output) -> Done {
    match check_folder(folder) {
        Ok(Checked { name, types, kinds, alarms }) if output.json() => {
            output.value(&json!({ "name": name, "types": types, "kinds": kinds, "alarms": alarms }))
        }
        Ok(Checked { name, types, kinds, alarms }) => {
            let list = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let types = list(types.iter().map(|found| found.name.as_str()).collect());
            let mut said = format!("The pack `{name}` is sound. Its task types: {types}.");
            if !kinds.is_empty() {
                let kinds = list(kinds.iter().map(|found| found.name.as_str()).collect());
                said.push_str(&format!(" Its resource kinds: {kinds}."));
            }
            if !alarms.is_empty() {
                let alarms = list(alarms.iter().map(|found| found.name.as_str()).collect());
                said.push_str(&format!(" Its alarm rules: {alarms}."));
            }
            output.say(&said);
            Ok(())
        }
        Err(error) if output.json() => {
            let mistakes = error.0.iter().map(|mistake| {
                json!({ "file": mistake.file, "line": mistake.line, "column": mistake.column, "what": mistake.what })
            });
            output.value(&json!({ "mistakes": mistakes.collect::<Vec<_>>() }))?;
            Err(Failure::Silent(Exit::Usage))
        }
        Err(error) => {
            output.lines(error.0.iter().map(ToString::to_string))?;
            Err(Failure::Silent(Exit::Usage))
        }
    }
}
