//! The verbs of `sortie op`.

use clap::{Args, Subcommand};
use sortie_rules::ids::TaskId;
use sortie_wire::operations::{OperationQuery, OperationStatus, RejectOperation};

use super::propose::{Propose, propose};
use super::shown::{rows, table};
use crate::commands::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::details;
use crate::values::operation_id;

/// What `sortie op` takes.
#[derive(Debug, Args)]
pub(crate) struct OpCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Propose an operation, for operators to sign
    Propose(Propose),
    /// List operations, newest first
    #[command(
        after_help = "Examples:\n  sortie op list --pending\n  sortie op list --node box-17 --status failed,rejected"
    )]
    List {
        /// Only those that wait for signatures
        #[arg(long, conflicts_with = "status")]
        pending: bool,
        /// Only those of one of these: awaiting_signature, pending, delivered, completed, failed,
        /// rejected, cancelled, expired
        #[arg(long, value_name = "WORDS", value_delimiter = ',', value_parser = status)]
        status: Vec<OperationStatus>,
        /// Only those for this node
        #[arg(long, value_name = "NAME|ID")]
        node: Option<String>,
        /// Only those of this task type
        #[arg(long = "type", value_name = "TYPE")]
        type_name: Option<String>,
        #[command(flatten)]
        pages: Pages,
    },
    /// Show an operation: what it does, who signed it, what became of it
    #[command(after_help = "Example: sortie op show 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Show {
        /// Its id, as `sortie op list` shows it
        #[arg(value_parser = operation_id)]
        id: TaskId,
    },
    /// Decide against an operation that waits for signatures
    #[command(after_help = "Example: sortie op reject 01980c5e-7d1a-7c3e-9b7e-0123456789ab --reason \"not today\"")]
    Reject {
        /// Its id, as `sortie op list` shows it
        #[arg(value_parser = operation_id)]
        id: TaskId,
        /// Why, for whoever proposed it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Does it.
pub(crate) async fn run(command: OpCommand, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&command.hub)?, context.output, context.clock.now());
    match command.verb {
        Verb::Propose(asked) => propose(asked, &hub, context).await,
        Verb::List { pending, status, node, type_name, pages } => {
            let is_narrowed = pending || !status.is_empty() || node.is_some() || type_name.is_some();
            let status = (!status.is_empty()).then(|| words(&status));
            let query = OperationQuery { pending, status, node, type_name, ..OperationQuery::default() };
            let page = pages
                .read(|after, limit| {
                    let after = after.and_then(|after| after.parse().ok());
                    let (hub, query) = (hub.clone(), OperationQuery { after, limit, ..query.clone() });
                    async move { hub.operations(&query).await }
                })
                .await?;
            output.either(&page, |page| {
                let none = match (pending, is_narrowed) {
                    (true, _) => "No operation of this kind waits for signatures.",
                    (false, true) => "There are no operations of this kind.",
                    (false, false) => "There are no operations.",
                };
                tell_rest(page, none, output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table(&page.items, now)) }
            })
        }
        Verb::Show { id } => {
            let operation = hub.operation(id).await?;
            output.either(&operation, |operation| {
                output.lines(details(&rows(operation, now), output.colours()))?;
                if operation.status == OperationStatus::AwaitingSignature {
                    output.say(&format!("Sign it: {}", context.next_command(&format!("sign {id}"))));
                }
                if operation.status == OperationStatus::Completed {
                    output.say(&format!("Its result: {}", context.next_command(&format!("task show {id}"))));
                }
                Ok(())
            })
        }
        Verb::Reject { id, reason } => {
            let operation = hub.reject_operation(id, &RejectOperation { reason }).await?;
            output.either(&operation, |operation| {
                output.say(&format!("{} at {} will not be.", operation.type_name, operation.node_name));
                Ok(())
            })
        }
    }
}

/// A status as it is typed.
fn status(word: &str) -> Result<OperationStatus, String> {
    OperationStatus::parse(word)
        .ok_or_else(|| format!("no operation is `{word}`; they are {}", words(&OperationStatus::ALL)))
}

fn words(statuses: &[OperationStatus]) -> String {
    statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(",")
}
