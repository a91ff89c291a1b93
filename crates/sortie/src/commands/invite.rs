//! `sortie invite`: the one-time secrets with which agents enrol.

use clap::{Args, Subcommand};
use sortie_rules::ids::InviteId;
use sortie_rules::time::{Millis, Span};
use sortie_wire::invites::{CreateInvite, InviteDetails};

use super::pages::tell_rest;
use super::site;
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};
use crate::values::{Label, labels};

/// What `sortie invite` takes.
#[derive(Debug, Args)]
pub(crate) struct InviteCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an invite; it alone is printed on stdout
    Create(Create),
    /// List the invites, newest first
    #[command(after_help = "Example: sortie invite list")]
    List,
    /// Withdraw an invite
    #[command(after_help = "Example: sortie invite revoke 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Revoke {
        /// The invite's id, as `sortie invite list` shows it
        id: InviteId,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sortie invite create --node box-17 --site customer-homes --label ring=first\n\
                        Then, at the site: sortie agent enroll --data DIR --invite INVITE")]
struct Create {
    /// The name that the node will have
    #[arg(long, value_name = "NAME")]
    node: String,
    /// The site it will belong to; made if it does not exist
    #[arg(long)]
    site: Option<String>,
    /// The node that it will live on, if it is a guest
    #[arg(long, value_name = "NAME|ID")]
    host: Option<String>,
    /// What sort of node it will be [default: guest if it lives on another, else host]
    #[arg(long)]
    kind: Option<String>,
    /// A label it will have; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<Label>,
    /// How long the invite can be used, for example 1h or 7d [default: 1h]
    #[arg(long, value_name = "SPAN")]
    valid_for: Option<Span>,
    /// Let it give a node that exists a new key, when a machine was lost or set up anew
    #[arg(long)]
    replace: bool,
    /// Where agents reach the hub, if not at the address that the hub is set to
    #[arg(long = "hub", value_name = "URL")]
    address: Option<String>,
}

/// Does it.
pub(crate) async fn run(command: InviteCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    match command.verb {
        Verb::Create(create) => {
            let is_new = site::is_missing(&hub, create.site.as_deref()).await;
            let created = hub.create_invite(&create.into_wire(), None).await?;
            created.details.site.iter().filter(|_| is_new).for_each(|key| site::tell_new(key, context));
            output.either(&created, |created| {
                let (until, node) = (ago(context.clock.now(), created.details.expires_at), &created.details.node);
                output.say(&format!("One agent can enrol as `{node}` with this invite; it ends {until}. At the site:"));
                output.say("  sortie agent enroll --data DIR --invite INVITE && sortie agent run --data DIR");
                output.line(&created.invite)
            })
        }
        Verb::List => {
            let page = hub.invites().await?;
            output.either(&page, |page| {
                tell_rest(page, "There are no invites.", output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table(&page.items, context.clock.now())) }
            })
        }
        Verb::Revoke { id } => {
            let invite = hub.revoke_invite(id).await?;
            output.either(&invite, |invite| {
                output.say(&format!("The invite for `{}` is withdrawn.", invite.node));
                Ok(())
            })
        }
    }
}

impl Create {
    fn into_wire(self) -> CreateInvite {
        CreateInvite {
            node: self.node,
            site: self.site,
            host: self.host,
            kind: self.kind,
            labels: labels(self.labels),
            valid_for: self.valid_for,
            replace: self.replace,
            hub: self.address,
        }
    }
}

fn table(invites: &[InviteDetails], now: Millis) -> Table {
    let mut table = Table::new(["id", "node", "state", "made", "by", "ends"]);
    for invite in invites {
        table.row([
            invite.id.to_string(),
            invite.node.clone(),
            state(invite, now).to_owned(),
            ago(now, invite.created_at),
            invite.created_by.clone(),
            ago(now, invite.expires_at),
        ]);
    }
    table
}

fn state(invite: &InviteDetails, now: Millis) -> &'static str {
    match invite {
        InviteDetails { revoked_at: Some(_), .. } => "revoked",
        InviteDetails { used_at: Some(_), .. } => "used",
        _ if now >= invite.expires_at => "expired",
        // Older than a rotation of the hub's authority.
        InviteDetails { void: true, .. } => "void",
        _ => "open",
    }
}
