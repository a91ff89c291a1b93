//! `sortie hub keys`: what signs and what vouches, and how both rotate.

use clap::{Args, Subcommand};
use sortie_rules::time::{Millis, Span};
use sortie_wire::hub_keys::{FinishKeys, HubKey, HubKeys, KeySort, KeyState, Lack, Laggard, Rotatable, RotateKeys};

use crate::commands::agree::agree;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::output::{Output, Table, ago};

/// What `sortie hub keys` takes.
#[derive(Debug, Args)]
pub(crate) struct KeysCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what signs, what is coming and leaving, and which nodes lag
    #[command(after_help = "Example: sortie hub keys show")]
    Show,
    /// Bring in a new delivery key, or a new authority; the former one stays believed until `finish`
    #[command(after_help = "Example: sortie hub keys rotate --authority\n\
                            docs/keys.md says when to do what, and what to do if a key was stolen.")]
    Rotate {
        /// Rotate the hub's certificate authority, and not the key that signs deliveries
        #[arg(long)]
        authority: bool,
        /// Use the new one at once, before nodes have heard of it: for a key that was stolen
        #[arg(long)]
        at_once: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Take out what is not used any more; refused while nodes lag
    #[command(after_help = "Example: sortie hub keys finish")]
    Finish {
        /// Also while nodes lag: each then follows the chain of key sets by itself when it comes back
        #[arg(long)]
        force: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Does it.
pub(crate) async fn run(command: KeysCommand, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&command.hub)?, context.output, context.clock.now());
    let before = hub.hub_keys().await?;
    let after = match command.verb {
        Verb::Show => before,
        Verb::Rotate { authority, at_once, yes } => {
            let what = if authority { Rotatable::Authority } else { Rotatable::Delivery };
            if !at_once {
                nothing_comes(&before, what, now)?;
            }
            agree(output, yes, &rotation(&before, what, at_once))?;
            hub.rotate_keys(&RotateKeys { what, from: before.version, at_once }).await?
        }
        Verb::Finish { force, yes } => {
            if !before.keys.iter().any(|key| key.state != KeyState::Current) {
                output.say("No rotation is under way; there is nothing to finish.");
                return output.either(&before, |_| Ok(()));
            }
            if before.lagging == 0 || force {
                agree(output, yes, &end(&before, now))?;
            }
            hub.finish_keys(&FinishKeys { from: before.version, force }).await?
        }
    };
    output.either(&after, |keys| tell(keys, now, output))
}

/// Refuses to announce another key beside one that is announced already.
fn nothing_comes(keys: &HubKeys, what: Rotatable, now: Millis) -> Done {
    let of = match what {
        Rotatable::Delivery => KeySort::Delivery,
        Rotatable::Authority => KeySort::Authority,
    };
    let Some(coming) = keys.keys.iter().find(|key| key.what == of && key.state == KeyState::Coming) else {
        return Ok(());
    };
    Err(Failure::usage(format!(
        "nothing was rotated: another {} was announced {} and is not in use yet",
        sort(of),
        ago(now, coming.since)
    ))
    .remedy(
        "wait until every node has heard of it, an hour at most; `sortie node revoke` those that never will; or say \
         --at-once if a key was stolen",
    ))
}

/// What a rotation will do, in plain words.
fn rotation(keys: &HubKeys, what: Rotatable, at_once: bool) -> String {
    let (thing, use_of_it) = match what {
        Rotatable::Delivery => ("delivery key", "sign deliveries"),
        Rotatable::Authority => ("certificate authority", "vouch for the hub"),
    };
    let when = if at_once {
        format!("It will {use_of_it} at once. A node that has not heard of it follows by itself, by the key set.")
    } else {
        format!(
            "It will {use_of_it} as soon as every node has heard of it, or in an hour; until then the present one does."
        )
    };
    let certificates = match what {
        Rotatable::Delivery => "",
        Rotatable::Authority => " Each node gets a new certificate from it, spread over time.",
    };
    format!(
        "A new {thing} comes into the hub's key set, which gets version {}. {when}{certificates}\n\
         The present one stays believed until you finish the rotation with `sortie hub keys finish`. {} follow the \
         hub's keys; no task is disturbed and no agent restarted.",
        keys.version + 1,
        nodes(keys.nodes),
    )
}

/// What finishing will do, in plain words.
fn end(keys: &HubKeys, now: Millis) -> String {
    let mut text = String::from("These go for good; nothing that they sign or vouch for is believed any more:\n");
    for key in keys.keys.iter().filter(|key| key.state == KeyState::Leaving) {
        text += &format!("  {} {}, leaving since {}\n", sort(key.what), short(&key.id), ago(now, key.since));
    }
    if keys.keys.iter().any(|key| key.state == KeyState::Coming) {
        text += "and what is announced takes the place of what is in use now.\n";
    }
    let authority = |key: &&HubKey| key.what != KeySort::Delivery && key.state != KeyState::Current;
    if let Some(since) = keys.keys.iter().filter(authority).map(|key| key.since).min() {
        text += &format!(
            "This rotation of the authority began {} days ago. People and programs whose ca.pem is older do not \
             believe the hub any more. Give them the ca.pem of the hub's data folder first, for SORTIE_CA and for \
             `sortie profile trust NAME ca.pem` (docs/keys.md).\n",
            now.since(since).0 / Span::days(1).0,
        );
    }
    if keys.lagging > 0 {
        text += &format!(
            "{} will not reach the hub as it is then. Each comes back by itself by following the chain of key sets \
             from the one it has; invites that were made before this rotation and not used are void.",
            nodes(keys.lagging)
        );
    } else {
        text += "No node lags. Invites that were made before this rotation and not used are void.";
    }
    text
}

fn nodes(count: u64) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

fn tell(keys: &HubKeys, now: Millis, output: Output) -> Done {
    output.say(&format!("The hub's key set is version {}.", keys.version));
    let mut table = Table::new(["what", "state", "since", "version", "id"]);
    for HubKey { what, id, state, since, version } in &keys.keys {
        table.row([sort(*what).to_owned(), word(*state).to_owned(), ago(now, *since), version.to_string(), short(id)]);
    }
    output.table(&table)?;
    if let Some(ahead) = keys.ahead {
        output.say(&format!(
            "A node has key set {ahead}, which this hub has not: was keys/ restored from a backup older than the last \
             rotation? Restore it from a newer one."
        ));
    }
    if keys.lagging == 0 {
        output.say(&format!("No node lags, of {}.", keys.nodes));
        return Ok(());
    }
    let verb = if keys.lagging == 1 { "lags" } else { "lag" };
    output.say(&format!("{} of {} {verb}:", nodes(keys.lagging), keys.nodes));
    let mut table = Table::new(["node", "keys", "lacks", "heard"]);
    for Laggard { name, version, lacks, heard_at, .. } in &keys.laggards {
        table.row([
            name.clone(),
            format!("{version} of {}", keys.version),
            match lacks {
                Lack::Keys => "the key set".to_owned(),
                Lack::Certificate => "a new certificate".to_owned(),
            },
            heard_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
        ]);
    }
    output.table(&table)
}

fn sort(what: KeySort) -> &'static str {
    match what {
        KeySort::Delivery => "delivery key",
        KeySort::Authority => "authority",
        KeySort::Given => "given authority",
    }
}

fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::Coming => "coming",
        KeyState::Current => "current",
        KeyState::Leaving => "leaving",
    }
}

/// As much of an id as people compare.
fn short(id: &str) -> String {
    id.chars().take(16).collect()
}
