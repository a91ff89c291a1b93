//! Goes through the operations that wait for signatures: tells what would be signed, asks for each, and asks for the
//! key's passphrase when the first is to be signed.

use std::cell::OnceCell;

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::PAGE_MAX;
use sortie_wire::operations::{OPERATION, Operation, OperationQuery, OperationStatus};
use sortie_wire::operators::{sign_operation, text_of_operation, unsigned};

use super::statement::{Drawn, statement};
use super::words::{Told, words};
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;
use crate::operator_keys::{Chosen, KeyOptions, KnownNodes, Signing};
use crate::values::{confirm, operation_id};

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
    #[arg(value_name = "ID", value_parser = operation_id)]
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
    let chosen = command.key.choose(context)?;
    let fingerprint = chosen.key().fingerprint();
    let signer = Signer { hub, fingerprint, chosen, signing: OnceCell::new(), yes: command.yes, context };
    let (mut signed, mut unsigned, mut refused) = (Vec::new(), 0, false);
    for id in ids {
        match signer.sign(id).await {
            Ok(Came::Signed(after)) => signed.push(*after),
            Ok(Came::SignedBefore) => {}
            Ok(Came::Unsigned) => unsigned += 1,
            // What the hub does not take of one is no reason to leave the others.
            Err(failure) if command.pending && failure.exit() == Some(Exit::Refused) => {
                output.say(&format!("Operation {id} is not signed: {failure}"));
                refused = true;
            }
            Err(failure) => return Err(failure),
        }
    }
    if output.json() {
        output.value(&signed)?;
    } else {
        output.lines(signed.iter().map(|one| one.id.to_string()))?;
    }
    // Of those that wait, somebody may choose; what was asked for by its id was meant.
    match (refused, unsigned > 0 && (signed.is_empty() || !command.pending)) {
        (true, _) => Err(Failure::Silent(Exit::Refused)),
        (false, true) => Err(Failure::Silent(Exit::Failed)),
        (false, false) => Ok(()),
    }
}

/// Somebody who goes through operations.
struct Signer<'c> {
    hub: Hub,
    chosen: Chosen,
    /// The key, from the first operation on that is to be signed.
    signing: OnceCell<Signing>,
    fingerprint: String,
    yes: bool,
    context: &'c Context,
}

/// What came of one operation.
enum Came {
    /// It is signed.
    Signed(Box<Operation>),
    /// It bears this key's signature already.
    SignedBefore,
    /// It waits for signatures no more, or shall not be signed.
    Unsigned,
}

impl Signer<'_> {
    async fn sign(&self, id: TaskId) -> Result<Came, Failure> {
        let (hub, context, output) = (&self.hub, self.context, self.context.output);
        let operation = hub.operation(id).await?;
        if operation.status != OperationStatus::AwaitingSignature {
            output.say(&format!("Operation {id} does not wait for signatures: it is {}.", operation.status));
            return Ok(Came::Unsigned);
        }
        if operation.signed_by.iter().any(|by| by.key_id == self.fingerprint) {
            output.say(&format!("Operation {id} ({}) bears this key's signature already.", operation.type_name));
            return Ok(Came::SignedBefore);
        }
        let now = context.clock.now();
        let drawn = Drawn { nonce: context.entropy.hex(), now, key_id: self.fingerprint.clone() };
        let (statement, bytes) = statement(&operation, drawn)?;
        let last = last_carried_out(hub, &operation).await?;
        let mut known = KnownNodes::read(&context.env)?;
        let told = Told {
            operation: &operation,
            statement: &statement,
            last: last.as_ref(),
            known: known.target(hub.address(), &operation.node_name),
            now,
        };
        words(&told, output.talk_colours()).iter().for_each(|line| output.say(line));
        if !self.yes && !confirm("Sign it?")? {
            output.say("Not signed.");
            return Ok(Came::Unsigned);
        }
        let after = sign_one(hub, self.signing()?, id, &bytes).await?;
        known.remember(hub.address(), &operation.node_name, &statement.target)?;
        output.say(&match after.status {
            OperationStatus::AwaitingSignature => {
                format!("Signed: {} of {} signatures are there.", after.signed_by.len(), after.signatures)
            }
            _ => format!("Signed; it is on its way to `{}`.", after.node_name),
        });
        Ok(Came::Signed(Box::new(after)))
    }

    /// The key, whose passphrase is asked for once.
    fn signing(&self) -> Result<&Signing, Failure> {
        if let Some(signing) = self.signing.get() {
            return Ok(signing);
        }
        let opened = self.chosen.open(self.context)?;
        Ok(self.signing.get_or_init(|| opened))
    }
}

async fn pending(hub: &Hub) -> Result<Vec<TaskId>, Failure> {
    let query = OperationQuery { pending: true, limit: Some(PAGE_MAX), ..OperationQuery::default() };
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
    let query = OperationQuery {
        status: Some(OperationStatus::Completed.as_str().to_owned()),
        node: Some(operation.target.node.to_string()),
        type_name: Some(operation.type_name.clone()),
        limit: Some(1),
        ..OperationQuery::default()
    };
    let page = hub.operations(&query).await?;
    match page.items.first() {
        Some(found) => Ok(Some(hub.operation(found.id).await?)),
        None => Ok(None),
    }
}
