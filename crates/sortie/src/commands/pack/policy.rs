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
    // A pack that brings an example for sites knows best.
    if let Ok(example) = std::fs::read_to_string(folder.join(EXAMPLE)) {
        output.say(&format!("This is the pack's own example, {EXAMPLE}: put in what is true of the site."));
        return output.line(example.trim_end());
    }
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let tables: Vec<String> = checked.types.iter().filter_map(|found| table(found, &whole)).collect();
    if tables.is_empty() {
        output.say("The pack does not say how its types are run; see its README.");
    }
    output.lines(tables)
}

/// Where a pack has an example of what a site adds to its policy.
const EXAMPLE: &str = "site/policy.toml";

fn table(found: &TaskType, folder: &Path) -> Option<String> {
    let hint = found.handler.as_ref()?;
    let mut table = format!("\n# {}\n", found.summary);
    for line in hint.note.iter().flat_map(|note| note.lines()) {
        table += &format!("# {line}\n");
    }
    let head = format!("[handlers.{}]\nkind = {}", quoted(&found.name), quoted(&hint.kind));
    // A table with a gap would make the whole policy one that cannot be used.
    let with_gap = |gap: &str| {
        let lines: Vec<String> = head.lines().map(|line| format!("# {line}")).collect();
        format!("{}\n# {gap} = \"…\"   # to be filled in", lines.join("\n"))
    };
    table += &match (hint.kind.as_str(), &hint.program) {
        ("command", Some(program)) => {
            format!("{head}\nprogram = {}", quoted(&folder.join(program).to_string_lossy()))
        }
        ("command", None) => with_gap("program"),
        ("http", _) => with_gap("url"),
        _ => with_gap("builtin"),
    };
    Some(table)
}

/// A text as TOML writes it, which for these is as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
