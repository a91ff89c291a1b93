//! `sortie profile`: the hubs that a person works with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sortie_client::Trust;

use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::{Profile, Profiles, check_profile_name, trust, write_private};
use crate::output::Table;

/// What `sortie profile` takes.
#[derive(Debug, Args)]
pub(crate) struct ProfileCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Note a hub; the first one noted is in use from then on
    Add(Add),
    /// List the hubs that are noted
    #[command(after_help = "Example: sortie profile list")]
    List,
    /// Use this hub where no other is named
    #[command(after_help = "Example: sortie profile use production")]
    Use {
        /// The profile's name
        name: String,
    },
    /// Believe another authority of a hub that is noted, as after a rotation
    #[command(after_help = "Example: sortie profile trust production hub-ca.pem\n\n\
                            Take ca.pem from the hub's data folder by a way that you trust: whoever gives you another\n\
                            one can speak for the hub.")]
    Trust {
        /// The profile's name
        name: String,
        /// The hub's ca.pem, or the SHA-256 of its certificate
        #[arg(value_name = "FILE|SHA256")]
        ca: String,
    },
    /// Forget a hub, and sign out there; the file with an API token stays
    #[command(after_help = "Example: sortie profile remove trial")]
    Remove {
        /// The profile's name
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sortie profile add production --hub https://hub.example:8443 \\\n           \
                        --token-file ~/.sortie.token --ca hub-ca.pem")]
struct Add {
    /// What to call it
    #[arg(value_parser = check_profile_name)]
    name: String,
    /// The hub's address
    #[arg(long = "hub", value_name = "URL")]
    address: String,
    /// The file with the token; `-` reads the token from stdin and keeps it beside the profiles
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The hub's ca.pem, or the SHA-256 of its certificate; this machine's authorities if absent
    #[arg(long, value_name = "FILE|SHA256")]
    ca: Option<String>,
}

/// Does it.
pub(crate) async fn run(command: ProfileCommand, context: &Context) -> Done {
    let mut profiles = Profiles::read(&context.env)?;
    let output = context.output;
    match command.verb {
        Verb::Add(add) => {
            let name = add.name.clone();
            let profile = add.profile(&profiles)?;
            profiles.profile.insert(name.clone(), profile);
            profiles.active.get_or_insert(name.clone());
            profiles.write()?;
            let in_use = profiles.active.as_deref() == Some(name.as_str());
            let how = if in_use { "It is in use.".to_owned() } else { format!("`sortie profile use {name}` uses it.") };
            output.say(&format!("Noted `{name}` in {}. {how}", profiles.path.display()));
            Ok(())
        }
        Verb::List => output.either(&profiles, |profiles| list(profiles, context)),
        Verb::Use { name } => {
            profiles.get(&name)?;
            profiles.active = Some(name.clone());
            profiles.write()?;
            output.say(&format!("`{name}` is in use."));
            Ok(())
        }
        Verb::Trust { name, ca } => {
            let ca = Some(checked(ca)?);
            let profile = Profile { ca, ..profiles.get(&name)?.clone() };
            profiles.profile.insert(name.clone(), profile);
            profiles.write()?;
            output.say(&format!("`{name}` believes that authority from now on."));
            Ok(())
        }
        Verb::Remove { name } => {
            let was_signed_in = super::logout::leave(&name, profiles.get(&name)?, context).await?;
            profiles.profile.remove(&name);
            profiles.active = profiles.active.filter(|active| *active != name);
            profiles.write()?;
            let signed_out = if was_signed_in { ", and you are signed out there" } else { "" };
            output.say(&format!("`{name}` is forgotten{signed_out}."));
            Ok(())
        }
    }
}

impl Add {
    fn profile(self, profiles: &Profiles) -> Result<Profile, Failure> {
        if !self.address.starts_with("https://") {
            return Err(Failure::usage(format!("`{}` is not a hub's address", self.address))
                .remedy("it begins with https://, for example https://hub.example:8443"));
        }
        let token_file = if self.token_file.as_os_str() == "-" {
            keep_token(&self.name, profiles)?
        } else {
            absolute(self.token_file)?
        };
        let ca = self.ca.map(checked).transpose()?;
        if !token_file.is_file() {
            return Err(Failure::usage(format!("there is no token file {}", token_file.display())));
        }
        Ok(Profile { hub: self.address, token_file, ca })
    }
}

/// Whom to believe, as a profile keeps it. It is looked at now, so that a slip is told now.
fn checked(ca: String) -> Result<String, Failure> {
    match trust(&ca, "--ca")? {
        Trust::Fingerprint(digits) => Ok(digits),
        _ => Ok(absolute(PathBuf::from(ca))?.display().to_string()),
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, Failure> {
    std::path::absolute(&path).map_err(|error| Failure::usage(format!("{} cannot be used: {error}", path.display())))
}

fn keep_token(name: &str, profiles: &Profiles) -> Result<PathBuf, Failure> {
    let token = std::io::read_to_string(std::io::stdin())
        .map_err(|error| Failure::usage(format!("the token on stdin cannot be read: {error}")))?;
    let path = profiles.path.with_file_name(format!("{name}.token"));
    write_private(&path, &format!("{}\n", token.trim()))
        .map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))?;
    Ok(path)
}

fn list(profiles: &Profiles, context: &Context) -> Done {
    if profiles.profile.is_empty() {
        context.output.say("No hub is noted. `sortie profile add` notes one.");
        return Ok(());
    }
    let mut table = Table::new(["name", "in use", "hub", "token file", "authority"]);
    for (name, profile) in &profiles.profile {
        let in_use = profiles.active.as_ref() == Some(name);
        table.row([
            name.clone(),
            if in_use { "yes" } else { "" }.to_owned(),
            profile.hub.clone(),
            profile.token_file.display().to_string(),
            profile.ca.clone().unwrap_or_else(|| "this machine's".to_owned()),
        ]);
    }
    context.output.table(&table)
}
