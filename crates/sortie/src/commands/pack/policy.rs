//! `sortie pack policy`: what a site writes into its policy to run a pack.

use std::path::Path;

use sortie_hub::packs::check_folder;
use sortie_wire::task_types::TaskType;

use crate::exit::{Done, Failure};
use crate::output::Output;

/// Prints the tables of a policy, one for each type whose author says how it is run.
pub(super) fn run(folder: &Path, output: Output) -> Done {
    let checked = check_folder(folder).map_err(|error| {
        Failure::usage(format!("{error}")).remedy(format!("`sortie pack check {}` tells each", folder.display()))
    })?;
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let tables: Vec<String> = checked.types.iter().filter_map(|found| table(found, &whole)).collect();
    if tables.is_empty() {
        output.say("The pack does not say how its types are run; see its README.");
    }
    output.lines(tables)
}

fn table(found: &TaskType, folder: &Path) -> Option<String> {
    let hint = found.handler.as_ref()?;
    let mut table = format!("\n# {}\n", found.summary);
    for line in hint.note.iter().flat_map(|note| note.lines()) {
        table += &format!("# {line}\n");
    }
    table += &format!("[handlers.{}]\nkind = {}", quoted(&found.name), quoted(&hint.kind));
    if let Some(program) = &hint.program {
        table += &format!("\nprogram = {}", quoted(&folder.join(program).to_string_lossy()));
    }
    Some(table)
}

/// A text as TOML writes it, which for these is as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
