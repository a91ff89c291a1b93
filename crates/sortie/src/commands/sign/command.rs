//! Goes through the operations that wait for signatures, and asks for each.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::PAGE_MAX;
use sortie_wire::operations::{OPERATION, Operation, OperationQuery, OperationStatus};
use sortie_wire::operators::{sign_operation, text_of_operation, unsigned};

use super::statement::{Drawn, statement};
use super::words::{Told, words};
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::operator_keys::{KeyOptions, KnownNodes, Signing};
use crate::values::confirm;

/// What `sortie sign` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie sign --pending\n  \
                        sortie sign 01980c5e-7d1a-7c3e-9b7e-0123456789ab --ssh-agent")]
pub(crate) struct SignCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(flatten)]
    key: KeyOptions,
    /// Operations, by id
    #[arg(value_name = "ID")]
    ids: Vec<TaskId>,
    /// Every operation that waits for signatures, one after the other
    #[arg(long, conflicts_with = "ids")]
    pending: bool,
    /// Sign without asking; what is signed is told all the same
    #[arg(long)]
    yes: bool,
}

/// Does it.
pub(crate) async fn run(command: SignCommand, context: &Context) -> Done {
    if command.ids.is_empty() && !command.pending {
        return Err(Failure::usage("say which operation: its ID, or --pending for all that wait for signatures")
            .remedy(context.next_command("op list --pending")));
    }
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    let ids = if command.pending { pending(&hub).await? } else { command.ids };
    if ids.is_empty() {
        output.say("No operation waits for signatures.");
        return if output.json() { output.value(&Vec::<Operation>::new()) } else { Ok(()) };
    }
    let signing = command.key.open(&context.env)?;
    let fingerprint = signing.key().fingerprint();
    let mut known = KnownNodes::read(&context.env)?;
    let mut signed = Vec::new();
    for id in ids {
        let operation = hub.operation(id).await?;
        if operation.status != OperationStatus::AwaitingSignature {
            output.say(&format!("Operation {id} does not wait for signatures: it is {}.", operation.status));
            continue;
        }
        if operation.signed_by.iter().any(|by| by.key_id == fingerprint) {
            output.say(&format!("Operation {id} ({}) bears this key's signature already.", operation.type_name));
            continue;
        }
        let drawn = Drawn { nonce: context.entropy.hex(), now: context.clock.now(), key_id: fingerprint.clone() };
        let (statement, bytes) = statement(&operation, drawn)?;
        let last = last_carried_out(&hub, &operation).await?;
        let told = Told {
            operation: &operation,
            statement: &statement,
            last: last.as_ref(),
            known: known.target(hub.address(), &operation.node_name),
            now: context.clock.now(),
        };
        words(&told, output.talk_colours()).iter().for_each(|line| output.say(line));
        if !command.yes && !confirm("Sign it?")? {
            output.say("Not signed.");
            continue;
        }
        let after = sign_one(&hub, &signing, id, &bytes).await?;
        known.remember(hub.address(), &operation.node_name, &statement.target)?;
        output.say(&match after.status {
            OperationStatus::AwaitingSignature => {
                format!("Signed: {} of {} signatures are there.", after.signed_by.len(), after.signatures)
            }
            _ => format!("Signed; it is on its way to `{}`.", after.node_name),
        });
        signed.push(after);
    }
    if output.json() { output.value(&signed) } else { output.lines(signed.iter().map(|one| one.id.to_string())) }
}

async fn pending(hub: &Hub) -> Result<Vec<TaskId>, Failure> {
    let query = OperationQuery { pending: true, after: None, limit: Some(PAGE_MAX) };
    let page = hub.operations(&query).await?;
    // Oldest first: in the order in which they were proposed.
    Ok(page.items.iter().rev().map(|operation| operation.id).collect())
}

async fn sign_one(hub: &Hub, signing: &Signing, id: TaskId, bytes: &[u8]) -> Result<Operation, Failure> {
    let mut envelope = unsigned(OPERATION, bytes);
    let proof = signing.sign(&text_of_operation(bytes))?;
    sign_operation(&mut envelope, signing.key().clone(), proof);
    Ok(hub.sign_operation(id, &envelope).await?)
}

/// The last operation of the same type that was carried out at the same node, to compare with.
async fn last_carried_out(hub: &Hub, operation: &Operation) -> Result<Option<Operation>, Failure> {
    let query = OperationQuery { pending: false, after: None, limit: Some(PAGE_MAX) };
    let page = hub.operations(&query).await?;
    let is_alike = |other: &&Operation| {
        other.status == OperationStatus::Completed
            && other.type_name == operation.type_name
            && other.target.node == operation.target.node
    };
    match page.items.iter().find(is_alike) {
        Some(found) => Ok(Some(hub.operation(found.id).await?)),
        None => Ok(None),
    }
}
