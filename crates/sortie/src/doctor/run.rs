//! The table: which checks belong to what was given, and what they come to.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::agent_folder;
use super::check::{Check, Verdict};
use super::hub;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;

/// What `sortie doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie doctor\n  sortie doctor --data /var/lib/sortie-agent\n\n\
                        --data may name the data folder of a hub or of an agent.\n\
                        Exit code 1 says that something stands in the way.")]
pub(crate) struct Doctor {
    #[command(flatten)]
    hub: HubOptions,
}

/// Looks and tells.
pub(crate) async fn run(doctor: Doctor, context: &Context) -> Done {
    let checks = match doctor.hub.data.as_deref() {
        Some(folder) if !is_a_hub_s(folder) => agent_folder::checks(folder, context).await,
        _ => way_to_the_hub(&doctor.hub, context).await,
    };
    let output = context.output;
    let ok = checks.iter().all(|check| check.verdict != Verdict::Bad);
    if output.json() {
        output.value(&json!({ "ok": ok, "checks": checks }))?;
    } else {
        output.lines(checks.iter().flat_map(|check| check.lines(output)))?;
        output.say(if ok { "Nothing stands in the way." } else { "Something stands in the way." });
    }
    if ok { Ok(()) } else { Err(Failure::Silent(Exit::Failed)) }
}

async fn way_to_the_hub(options: &HubOptions, context: &Context) -> Vec<Check> {
    match context.find(options) {
        Ok(found) => hub::checks(&found, context).await,
        Err(failure) => {
            let remedy = failure.remedy_text().unwrap_or("name a hub").to_owned();
            vec![Check::bad("hub", failure.to_string(), remedy)]
        }
    }
}

fn is_a_hub_s(folder: &Path) -> bool {
    folder.join("hub.url").exists()
}
