//! `sortie whoami`: who the token makes us, and at which hub.

use clap::Args;

use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{details, utc};

/// What `sortie whoami` takes.
#[derive(Debug, Args)]
pub(crate) struct WhoamiCommand {
    #[command(flatten)]
    hub: HubOptions,
}

/// Asks the hub and prints its answer.
pub(crate) async fn run(command: WhoamiCommand, context: &Context) -> Done {
    let found = context.find(&command.hub)?;
    let whoami = context.hub(&command.hub)?.whoami().await?;
    context.output.either(&whoami, |whoami| {
        let rows = [
            ("name", whoami.name.clone()),
            ("role", whoami.role.as_str().to_owned()),
            ("may", whoami.permissions.to_string()),
            ("org", whoami.org.to_string()),
            ("hub", found.hub.clone()),
            ("named by", found.source.to_string()),
            ("version", whoami.hub_version.clone()),
            ("hub's time", utc(whoami.now)),
        ];
        context.output.lines(details(&rows, context.output.colours()))
    })
}
