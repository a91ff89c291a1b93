//! `sortie audit head` and `sortie audit keys`: the little that is kept elsewhere, and against which exports are
//! held later.

use clap::Args;
use serde::Serialize;
use sortie_wire::keys::{KeySet, PublicKey};

use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `head` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie audit head\n\n\
                        Keep what it prints where the hub's people cannot change it. Later,\n\
                        `sortie audit verify FILE --head NUMBER:HASH` proves that the log still holds all of it.")]
pub(crate) struct Head {
    #[command(flatten)]
    hub: HubOptions,
}

/// What `keys` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie audit keys > hub-keys.json")]
pub(crate) struct Keys {
    #[command(flatten)]
    hub: HubOptions,
}

/// Prints where the log stands.
pub(super) async fn run(head: Head, context: &Context) -> Done {
    let (hub, output) = (context.hub(&head.hub)?, context.output);
    let head = hub.audit_head().await?;
    output.either(&head, |head| output.line(&format!("{}:{}", head.head.number, head.head.hash)))
}

/// Prints every public key that the hub ever signed with.
pub(super) async fn keys(keys: Keys, context: &Context) -> Done {
    let hub = context.hub(&keys.hub)?;
    let KeySet { version, keys, .. } = hub.signing_keys().await?;
    context.output.value(&SigningKeys { version, keys })
}

/// What of a key set says who signed: `sortie audit verify --keys` takes it for one.
#[derive(Debug, Serialize)]
struct SigningKeys {
    version: u64,
    keys: Vec<PublicKey>,
}
