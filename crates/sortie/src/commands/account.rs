//! `sortie account`: people who sign in with a password of the hub's.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_rules::access::Role;
use sortie_rules::config::nearest;
use sortie_rules::time::Millis;
use sortie_wire::accounts::{Account, ChangeAccount, CreateAccount};
use sortie_wire::pages::Page;
use sortie_wire::sessions::ChangePassword;

use super::pages::{Pages, tell_rest};
use super::token::parse_role;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};
use crate::values::read_password;

/// What `sortie account` takes.
#[derive(Debug, Args)]
pub(crate) struct AccountCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an account; its password is asked for, or read from standard input
    #[command(after_help = "Example: sortie account create anna --role operator")]
    Create {
        /// What is typed to sign in; unique in the hub
        name: String,
        /// What its holder may do: viewer (read), operator (and submit and steer work), admin (everything)
        #[arg(long, value_parser = parse_role)]
        role: Role,
    },
    /// List the accounts
    #[command(after_help = "Example: sortie account list")]
    List {
        #[command(flatten)]
        pages: Pages,
    },
    /// Give your own account another password; your other sessions end
    #[command(after_help = "Example: sortie account password\n\n\
                            It asks for the old password and the new one. Where nobody types, they are the first two\n\
                            lines of standard input.")]
    Password,
    /// Change an account; whoever is signed in with it is signed out
    #[command(after_help = "Example: sortie account change anna --role viewer\n         \
                            sortie account change anna --disable")]
    Change(Change),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct What {
    /// What its holder may do
    #[arg(long, value_parser = parse_role)]
    role: Option<Role>,
    /// Give it another password, which is asked for or read from standard input
    #[arg(long)]
    password: bool,
    /// Let nobody sign in with it
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Let its holder sign in again
    #[arg(long)]
    enable: bool,
}

#[derive(Debug, Args)]
struct Change {
    /// The account's name
    name: String,
    /// Do it even if it is the org's last account of an administrator
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    what: What,
}

/// Does it.
pub(crate) async fn run(command: AccountCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    match command.verb {
        Verb::Create { name, role } => {
            let password = read_password(&format!("Password of {name}"), true)?;
            let account = hub.create_account(&CreateAccount { name, role, password }).await?;
            told(&account, "can sign in", context)
        }
        Verb::List { pages } => {
            let page = pages.read(|after, limit| hub.accounts(after, limit)).await?;
            output.either(&page, |page| {
                let none = "There are no accounts. `sortie account create` makes one.";
                tell_rest(page, none, output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table(page, context.clock.now())) }
            })
        }
        Verb::Password => {
            let old = read_password("Old password", false)?;
            let new = read_password("New password", true)?;
            let account = hub.change_password(&ChangePassword { old, new }).await?;
            output.either(&account, |account| {
                output.say(&format!("{} has another password; all other sessions have ended.", account.name));
                Ok(())
            })
        }
        Verb::Change(Change { name, force, what }) => {
            let id = find(&hub, &name).await?.id;
            let password =
                if what.password { Some(read_password(&format!("New password of {name}"), true)?) } else { None };
            let disabled = (what.disable || what.enable).then_some(what.disable);
            let change = ChangeAccount { role: what.role, password, disabled, force };
            let account = hub.change_account(id, &change).await?;
            let state = if account.disabled_at.is_some() { "cannot sign in" } else { "can sign in" };
            told(&account, state, context)
        }
    }
}

async fn find(hub: &Hub, name: &str) -> Result<Account, Failure> {
    let all = Pages::all().read(|after, limit| hub.accounts(after, limit)).await?.items;
    let near = nearest(name, all.iter().map(|account| account.name.as_str())).map(str::to_owned);
    all.into_iter().find(|account| account.name == name).ok_or_else(|| {
        let failure = Failure::new(Exit::Refused, format!("there is no account `{name}`"));
        match near {
            Some(near) => failure.remedy(format!("did you mean `{near}`?")),
            None => failure.remedy("`sortie account list` shows them"),
        }
    })
}

fn told(account: &Account, state: &str, context: &Context) -> Done {
    context.output.either(account, |account| {
        context.output.say(&format!("{} {state}, with the role {}.", account.name, account.role.as_str()));
        Ok(())
    })
}

fn table(page: &Page<Account>, now: Millis) -> Table {
    let mut table = Table::new(["name", "role", "state", "made", "by", "last signed in"]);
    for account in &page.items {
        table.row([
            account.name.clone(),
            account.role.as_str().to_owned(),
            if account.disabled_at.is_some() { "disabled" } else { "active" }.to_owned(),
            ago(now, account.created_at),
            account.created_by.clone(),
            account.signed_in_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
        ]);
    }
    table
}
