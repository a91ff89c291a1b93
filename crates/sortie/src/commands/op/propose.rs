//! `sortie op propose`: something privileged for one node, for operators to sign.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::limits::OPERATORS_MAX;
use sortie_rules::time::Span;
use sortie_wire::operations::ProposeOperation;

use crate::context::Context;
use crate::exit::Done;
use crate::values::read_payload;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie op propose host.reboot --node box-17 --reason \"a new kernel\"\n  \
                        sortie op propose service.restart --node box-17 --payload '{\"service\": \"nginx\"}' \
                        --signatures 2")]
pub(super) struct Propose {
    /// The task type, as `sortie task types` lists it
    #[arg(value_name = "TYPE")]
    type_name: String,
    /// The node that shall do it
    #[arg(long, value_name = "NAME|ID")]
    node: String,
    /// What the handler gets: JSON, @FILE, or - for stdin [default: {}]
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<String>,
    /// How long it may be carried out once it is signed, 30d at most [default: 1d]
    #[arg(long, value_name = "SPAN")]
    valid_for: Option<Span>,
    /// How many operators shall sign it; the site has the last word [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=OPERATORS_MAX as i64))]
    signatures: Option<u32>,
    /// Why, for those who are to sign it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// An Idempotency-Key: the same key proposes the same operation once, however often this is run
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// Proposes it.
pub(super) async fn propose(asked: Propose, hub: &Hub, context: &Context) -> Done {
    let Propose { type_name, node, payload, valid_for, signatures, reason, key } = asked;
    let payload = payload.as_deref().map(read_payload).transpose()?;
    let by_default = signatures.is_none();
    let proposal = ProposeOperation { type_name, node, payload, valid_for, signatures, reason };
    let proposed = hub.propose_operation(&proposal, key.as_deref()).await?;
    context.output.either(&proposed, |proposed| {
        let wanted = match proposed.signatures {
            1 => "an operator's signature".to_owned(),
            many => format!("the signatures of {many} operators"),
        };
        let sign = context.next_command(&format!("sign {}", proposed.id));
        context.output.say(&format!("Proposed for `{}`. It waits for {wanted}: {sign}", proposed.node_name));
        if by_default {
            context.output.say(
                "One is what is asked for where nothing else is said. A site whose policy demands more refuses it for \
                 good: propose it with --signatures then.",
            );
        }
        context.output.line(&proposed.id.to_string())
    })
}
