//! `sortie task types`: what can be asked of an agent.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::config::nearest;
use sortie_wire::task_types::TaskType;

use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::output::{Table, details};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie task types\n  sortie task types file.checksum")]
pub(super) struct Types {
    /// Show this type with its schemas
    name: Option<String>,
}

/// Prints them.
pub(super) async fn run(types: Types, hub: &Hub, context: &Context) -> Done {
    let page = hub.task_types().await?;
    let output = context.output;
    let Some(name) = types.name else {
        return output.either(&page, |page| output.table(&table(&page.items)));
    };
    let found = page.items.iter().find(|found| found.name == name).ok_or_else(|| {
        let near = nearest(&name, page.items.iter().map(|known| known.name.as_str()));
        let failure = Failure::new(Exit::Refused, format!("there is no task type `{name}` at this hub"));
        failure.remedy(
            near.map_or("`sortie task types` lists them all".to_owned(), |near| format!("did you mean `{near}`?")),
        )
    })?;
    output.either(found, |found| output.lines(details(&rows(found), output.colours())))
}

fn table(types: &[TaskType]) -> Table {
    let mut table = Table::new(["type", "pack", "after a crash", "lease", "retries", "what it does"]);
    for found in types {
        table.row([
            found.name.clone(),
            found.pack.clone(),
            after_a_crash(found).to_owned(),
            found.lease.to_string(),
            found.max_retries.to_string(),
            found.summary.clone(),
        ]);
    }
    table
}

fn after_a_crash(found: &TaskType) -> &'static str {
    if found.idempotent { "runs again" } else { "interrupted" }
}

fn rows(found: &TaskType) -> Vec<(&'static str, String)> {
    let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
    vec![
        ("type", found.name.clone()),
        ("pack", found.pack.clone()),
        ("what it does", found.summary.clone()),
        ("class", found.class.as_str().to_owned()),
        ("secret in payload", found.secrets.join(" ")),
        ("after a crash", after_a_crash(found).to_owned()),
        ("lease", found.lease.to_string()),
        ("retries", found.max_retries.to_string()),
        ("payload", pretty(&found.payload_schema)),
        ("result", pretty(&found.result_schema)),
    ]
}
