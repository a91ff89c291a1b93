//! `sortie token`: what people and services show the hub.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_rules::access::{Permission, Role};
use sortie_rules::ids::TokenId;
use sortie_rules::time::{Millis, Span};
use sortie_wire::tokens::{CreateToken, TokenDetails};

use super::named::only;
use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};

/// What `sortie token` takes.
#[derive(Debug, Args)]
pub(crate) struct TokenCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token; it alone is printed on stdout, and only this once
    #[command(after_help = "Example: sortie token create --name ci --role operator --valid-for 90d > ci.token")]
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do: viewer (read), operator (and submit and steer work), admin (everything),
        /// service (a program that submits work)
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// To what it is limited within that, for example tasks:read,tasks:write
        #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',')]
        scopes: Vec<Permission>,
        /// How long it is valid, for example 90d; without end if absent
        #[arg(long, value_name = "SPAN")]
        valid_for: Option<Span>,
    },
    /// List the tokens, newest first; their secrets are not kept
    #[command(after_help = "Example: sortie token list")]
    List,
    /// End a token at once
    #[command(after_help = "Example: sortie token revoke 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Revoke {
        /// The token's id, as `sortie token list` shows it, or its name if no other token that holds has that
        #[arg(value_name = "ID|NAME")]
        token: String,
        /// Do it even if nobody could administer the org without it
        #[arg(long)]
        force: bool,
    },
}

pub(super) fn parse_role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "a role is viewer, operator, admin or service".to_owned())
}

/// Does it.
pub(crate) async fn run(command: TokenCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    match command.verb {
        Verb::Create { name, role, scopes, valid_for } => {
            let scopes = (!scopes.is_empty()).then(|| scopes.into_iter().collect());
            let created = hub.create_token(&CreateToken { name, role, scopes, valid_for }, None).await?;
            output.either(&created, |created| {
                let details = &created.details;
                output.say(&format!(
                    "A token for {} with the role {}. It is shown only now; keep it where SORTIE_TOKEN is set from.",
                    details.name,
                    details.role.as_str()
                ));
                output.line(&created.token)
            })
        }
        Verb::List => {
            let page = hub.tokens().await?;
            output.either(&page, |page| {
                tell_rest(page, "There are no tokens.", output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table(&page.items, context.clock.now())) }
            })
        }
        Verb::Revoke { token, force } => {
            let id = find(&hub, &token, context.clock.now()).await?;
            let token = if force { hub.revoke_last_token(id).await? } else { hub.revoke_token(id).await? };
            output.either(&token, |token| {
                output.say(&format!("The token of {} has ended.", token.name));
                Ok(())
            })
        }
    }
}

/// The token that is named, by its id or by its name.
async fn find(hub: &Hub, text: &str, now: Millis) -> Result<TokenId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let holds = |token: &TokenDetails| token.revoked_at.is_none() && token.expires_at.is_none_or(|end| now < end);
    let tokens = Pages::all().read(|after, limit| hub.tokens_after(after, limit)).await?.items;
    let named: Vec<&TokenDetails> = tokens.iter().filter(|token| token.name == text && holds(token)).collect();
    only(&named.iter().map(|token| token.id).collect::<Vec<_>>(), "token", text, "sortie token list")
}

fn table(tokens: &[TokenDetails], now: Millis) -> Table {
    let mut table = Table::new(["id", "name", "role", "limited to", "state", "made", "by", "last used", "ends"]);
    for token in tokens {
        let ended = token.expires_at.is_some_and(|at| now >= at);
        let state = if token.revoked_at.is_some() {
            "revoked"
        } else if ended {
            "expired"
        } else {
            "valid"
        };
        table.row([
            token.id.to_string(),
            token.name.clone(),
            token.role.as_str().to_owned(),
            token.scopes.map_or_else(String::new, |scopes| scopes.to_string()),
            state.to_owned(),
            ago(now, token.created_at),
            token.created_by.clone(),
            token.last_used_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
            token.expires_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
        ]);
    }
    table
}
