//! `sortie store`: moves what a hub keeps from one engine to the other.

use clap::{Args, Subcommand};
use serde_json::json;
use sortie_hub::upkeep::{Copied, Place, copy_store};

use super::bar::Bar;
use super::failure::failed;
use crate::context::Context;
use crate::exit::Done;
use crate::output::Table;

/// What `sortie store` takes.
#[derive(Debug, Args)]
pub(crate) struct StoreCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Copy a store into an empty one and compare both, table by table
    #[command(
        after_help = "Example: sortie store copy --from /var/lib/sortie --to postgres://sortie@db.example/sortie\n\n\
                            A place is the data folder of a hub, for the SQLite database in it, or the address of a \
                            PostgreSQL database. Stop every hub on both first. The keys stay where they are. The \
                            source is not changed: when the hub runs on the copy, put it away."
    )]
    Copy {
        /// The store to copy; SORTIE_STORE_FROM keeps a password out of the list of processes
        #[arg(long, value_name = "PLACE", value_parser = place, env = "SORTIE_STORE_FROM", hide_env_values = true)]
        from: Place,
        /// Where to; SORTIE_STORE_TO likewise
        #[arg(long, value_name = "PLACE", value_parser = place, env = "SORTIE_STORE_TO", hide_env_values = true)]
        to: Place,
    },
}

fn place(text: &str) -> Result<Place, String> {
    match text.split_once("://") {
        Some(("postgres" | "postgresql", _)) => Ok(Place::Server(text.to_owned())),
        Some(_) => Err("write the data folder of a hub, or postgres://user@host/database".to_owned()),
        None => Ok(Place::DataFolder(text.into())),
    }
}

/// Does it.
pub(crate) async fn run(command: StoreCommand, context: &Context) -> Done {
    let Verb::Copy { from, to } = command.verb;
    let output = context.output;
    let mut bar = Bar::new(output);
    let copied = copy_store(&from, &to, context.clock.now(), &mut |at| bar.show(at)).await;
    drop(bar);
    let copied = copied.map_err(|error| failed(&error))?;
    let rows: u64 = copied.tables.iter().map(|table| table.rows).sum();
    if output.json() {
        output.value(&as_json(&copied))?;
    } else {
        let mut table = Table::new(["table", "rows", "sha256"]);
        for copied in &copied.tables {
            let hash = copied.sha256.get(..16).unwrap_or_default().to_owned();
            table.row([copied.name.to_owned(), copied.rows.to_string(), hash]);
        }
        output.table(&table)?;
    }
    let (from, to) = (copied.from, copied.to);
    output.say(&format!("{rows} rows were copied from {from} to {to}, and both hold the same."));
    output.say(match to {
        "postgres" => {
            "Set `database_url` in the hub's settings to it, and `master_key_file` to a key made by `sortie hub \
             master-key`; then start the hub."
        }
        _ => {
            "Take `database_url` out of the hub's settings, leave `master_key_file` in them for the first start, and \
             start the hub."
        }
    });
    if copied.blobs > 0 {
        output.say(&format!(
            "{} blobs were not copied: they stay where they are. Name their place in the hub's settings, `blobs.url` \
             (docs/blobs.md).",
            copied.blobs
        ));
    }
    Ok(())
}

fn as_json(copied: &Copied) -> serde_json::Value {
    let tables = copied.tables.iter();
    let tables = tables.map(|table| json!({ "name": table.name, "rows": table.rows, "sha256": table.sha256 }));
    json!({
        "from": copied.from, "to": copied.to, "schema": copied.schema, "blobs": copied.blobs,
        "tables": tables.collect::<Vec<_>>(),
    })
}
