//! The verbs of `sortie operators`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use sortie_rules::limits::OPERATORS_MAX;
use sortie_wire::operators::{OperatorSet, Operators, PublishedOperators};

use super::chain::Chain;
use super::member::Member;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;
use crate::operator_keys::KeyOptions;
use crate::output::{Table, ago, details};
use crate::values::confirm;

/// What `sortie operators` takes.
#[derive(Debug, Args)]
pub(crate) struct OperatorsCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a first set, and sign it
    #[command(
        after_help = "Example: sortie operators new operators.json --member ada.pub --member bob=bob.pub --needed 2"
    )]
    New {
        /// The file that is made
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A member: NAME=FILE, or a file of a public key whose comment is the name
        #[arg(long = "member", value_name = "NAME=FILE", required = true)]
        members: Vec<Member>,
        /// How many members must sign a change of the set
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = needed())]
        needed: u32,
        #[command(flatten)]
        key: KeyOptions,
    },
    /// Draw up the set that follows, and sign it
    #[command(after_help = "Example: sortie operators change operators.json --remove bob --add eve.pub")]
    Change {
        /// The file of the sets
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// A new member: NAME=FILE, or a file of a public key whose comment is the name
        #[arg(long = "add", value_name = "NAME=FILE")]
        add: Vec<Member>,
        /// A member who goes
        #[arg(long = "remove", value_name = "NAME")]
        remove: Vec<String>,
        /// How many members must sign a change of the new set
        #[arg(long, value_name = "COUNT", value_parser = needed())]
        needed: Option<u32>,
        /// In place of a set that waits for signatures, which is dropped with those that it has
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        key: KeyOptions,
    },
    /// Sign a set that another member has drawn up
    #[command(after_help = "Example: sortie operators sign operators.json")]
    Sign {
        /// The file of the sets
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        key: KeyOptions,
        /// Sign without asking; what is signed is told all the same
        #[arg(long)]
        yes: bool,
    },
    /// Publish the sets at the hub, from where sites follow them by themselves
    #[command(after_help = "Example: sortie operators publish operators.json")]
    Publish {
        /// The file of the sets
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        hub: HubOptions,
    },
    /// Show a file of sets, or what is published at the hub
    #[command(after_help = "Examples:\n  sortie operators show operators.json\n  sortie operators show --data hub")]
    Show {
        /// The file of the sets; what is published at the hub if absent
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        hub: HubOptions,
    },
}

fn needed() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=OPERATORS_MAX as i64)
}

/// Does it.
pub(crate) async fn run(command: OperatorsCommand, context: &Context) -> Done {
    match command.verb {
        Verb::New { file, members, needed, key } => {
            if file.exists() {
                return Err(Failure::usage(format!("{} is there already", file.display()))
                    .remedy(format!("sortie operators change {}", file.display())));
            }
            let members = members.into_iter().map(|member| member.0).collect();
            let mut chain = Chain::begin(OperatorSet { version: 1, needed, members })?;
            chain.sign(&key.open(context)?)?;
            kept(&chain, &file, context)
        }
        Verb::Change { file, add, remove, needed, replace, key } => {
            let mut chain = Chain::read(&file)?;
            if !replace {
                nothing_waits(&chain, &file)?;
            }
            let next = changed(&chain, add, &remove, needed)?;
            chain.propose(next)?;
            chain.sign(&key.open(context)?)?;
            kept(&chain, &file, context)
        }
        Verb::Sign { file, key, yes } => {
            let mut chain = Chain::read(&file)?;
            let Some((set, ..)) = chain.next() else {
                return Err(Failure::usage(format!("no set in {} waits for signatures", file.display())));
            };
            lines(set, chain.stands().map(|stands| stands.set())).iter().for_each(|line| context.output.say(line));
            if !yes && !confirm("Sign this set?")? {
                context.output.say("Not signed.");
                return Err(Failure::Silent(Exit::Failed));
            }
            let chosen = key.choose(context)?;
            if chain.bears(chosen.key()) {
                context.output.say("It bears this key's signature already.");
                return told(&chain, &file, context);
            }
            chain.sign(&chosen.open(context)?)?;
            kept(&chain, &file, context)
        }
        Verb::Publish { file, hub } => publish(&file, &hub, context).await,
        Verb::Show { file: Some(file), .. } => {
            let chain = Chain::read(&file)?;
            told(&chain, &file, context)
        }
        Verb::Show { file: None, hub } => {
            let page = context.hub(&hub)?.operators().await?;
            context.output.either(&page, |page| match page.items.is_empty() {
                true => {
                    context.output.say("No set of operators is published here; `sortie operators publish FILE` does.");
                    Ok(())
                }
                false => context.output.table(&table(&page.items, context)),
            })
        }
    }
}

/// Refuses to drop what another member has drawn up and signed.
fn nothing_waits(chain: &Chain, file: &Path) -> Done {
    let (Some(_), Some((set, signed, needed))) = (chain.stands(), chain.next()) else { return Ok(()) };
    let shown = file.display();
    Err(Failure::usage(format!(
        "set {} in {shown} waits for signatures ({signed} of {needed} are there); nothing was changed",
        set.version
    ))
    .remedy(format!("sortie operators sign {shown}; or change it with --replace, which drops that set")))
}

/// The set that follows the one that stands.
fn changed(chain: &Chain, add: Vec<Member>, remove: &[String], needed: Option<u32>) -> Result<OperatorSet, Failure> {
    let Some(stands) = chain.stands() else {
        return Err(Failure::usage("the first set is not signed by enough yet").remedy("sortie operators sign FILE"));
    };
    let mut next = stands.set().clone();
    for name in remove {
        let before = next.members.len();
        next.members.retain(|member| member.name != *name);
        if next.members.len() == before {
            let names: Vec<&str> = next.members.iter().map(|member| member.name.as_str()).collect();
            return Err(Failure::usage(format!("there is no member `{name}`; there are {}", names.join(", "))));
        }
    }
    next.members.extend(add.into_iter().map(|member| member.0));
    next.needed = needed.unwrap_or(next.needed);
    if next == *stands.set() {
        return Err(
            Failure::usage("that changes nothing").remedy("say what to --add, to --remove or how many are --needed")
        );
    }
    next.version += 1;
    Ok(next)
}

fn kept(chain: &Chain, file: &Path, context: &Context) -> Done {
    chain.write(file)?;
    told(chain, file, context)
}

/// A set that waits for signatures, for programs.
#[derive(Debug, Serialize)]
struct Waiting<'s> {
    set: &'s OperatorSet,
    /// How many of those who must have signed it.
    signed: usize,
    needed: u32,
}

/// What is in the file, and what to do next.
fn told(chain: &Chain, file: &Path, context: &Context) -> Done {
    let (output, shown) = (context.output, file.display());
    if output.json() {
        let stands = chain.stands();
        return output.value(&serde_json::json!({
            "set": stands.map(Operators::set),
            "fingerprint": stands.map(Operators::fingerprint),
            "waiting": chain.next().map(|(set, signed, needed)| Waiting { set, signed, needed }),
        }));
    }
    if let Some((set, signed, needed)) = chain.next() {
        lines(set, chain.stands().map(|stands| stands.set())).iter().for_each(|line| output.say(line));
        output.say(&format!(
            "It waits for signatures: {signed} of {needed} are there. Give {shown} to another member: \
             sortie operators sign {shown}"
        ));
    }
    let Some(stands) = chain.stands() else { return Ok(()) };
    lines(stands.set(), None).iter().for_each(|line| output.say(line));
    if chain.next().is_none() {
        output.say(&format!(
            "Publish it: sortie operators publish {shown}. A site gets it at its enrolment, by its file or by the \
             fingerprint below: sortie agent enroll --operators …"
        ));
    }
    output.line(stands.fingerprint())
}

/// A set in words; beside another, what changes.
fn lines(set: &OperatorSet, before: Option<&OperatorSet>) -> Vec<String> {
    let mut lines =
        vec![format!("Set {}: {} of {} members must sign a change of it.", set.version, set.needed, set.members.len())];
    for member in &set.members {
        let is_new = before.is_some_and(|before| !before.members.contains(member));
        lines.push(format!("  {} {}  {}", if is_new { "+" } else { " " }, member.name, member.key.fingerprint()));
    }
    for member in before.into_iter().flat_map(|before| &before.members) {
        if !set.members.contains(member) {
            lines.push(format!("  - {}  {}", member.name, member.key.fingerprint()));
        }
    }
    lines
}

async fn publish(file: &Path, options: &HubOptions, context: &Context) -> Done {
    let chain = Chain::read(file)?;
    let hub = context.hub(options)?;
    let there = hub.operators_chain(None).await?.links;
    if !chain.links().starts_with(&there) {
        return Err(Failure::usage(format!(
            "{} and what is published at the hub do not belong together",
            file.display()
        ))
        .remedy(context.next_command("operators show")));
    }
    let mut published = Vec::new();
    for link in &chain.links()[there.len()..] {
        published.push(hub.publish_operators(link).await?);
    }
    if let Some((set, signed, needed)) = chain.next() {
        let missing = format!("set {} in {} has {signed} of {needed} signatures", set.version, file.display());
        if published.is_empty() {
            return Err(Failure::usage(format!("nothing was published: {missing}"))
                .remedy(format!("sortie operators sign {}, as another member", file.display())));
        }
        context.output.say(&format!("The newest is not published: {missing}."));
    }
    context.output.either(&published, |published| {
        let Some(newest) = published.last() else {
            context.output.say("The hub has it already.");
            return Ok(());
        };
        context.output.lines(details(
            &[("version", newest.set.version.to_string()), ("fingerprint", newest.fingerprint.clone())],
            context.output.colours(),
        ))
    })
}

fn table(sets: &[PublishedOperators], context: &Context) -> Table {
    let mut table = Table::new(["version", "members", "needed", "published", "by", "fingerprint"]);
    for published in sets {
        let names: Vec<&str> = published.set.members.iter().map(|member| member.name.as_str()).collect();
        table.row([
            published.set.version.to_string(),
            names.join(", "),
            published.set.needed.to_string(),
            ago(context.clock.now(), published.published_at),
            published.published_by.clone(),
            published.fingerprint.clone(),
        ]);
    }
    table
}
