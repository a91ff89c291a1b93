//! `sortie logout`: ends a sign-in, at the hub and at the identity provider.

use std::path::Path;

use clap::Args;
use sortie_client::people::Token;
use sortie_rules::time::Span;
use sortie_wire::problem::ProblemCode::Unauthenticated;
use sortie_wire::sign_in::{LogOut, LoggedOut};

use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::{Found, HubOptions, Kept, Profile, Profiles, check_profile_name, find, sign_in};

/// How long the hub is tried.
const PATIENCE: Span = Span::seconds(4);

/// What `sortie logout` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie logout --profile production\n\n\
                        The token is void at once, the identity provider is told, and the file with the sign-in is\n\
                        deleted. The profile stays, for the next `sortie login`.")]
pub(crate) struct LogoutCommand {
    /// The profile that was signed in; the one in use if absent
    #[arg(long, value_name = "NAME", value_parser = check_profile_name)]
    profile: Option<String>,
}

/// Does it.
pub(crate) async fn run(command: LogoutCommand, context: &Context) -> Done {
    let profiles = Profiles::read(&context.env)?;
    let name = command.profile.or_else(|| context.env.get("SORTIE_PROFILE")).or_else(|| profiles.active.clone());
    let name = name.ok_or_else(|| Failure::usage("no profile is in use").remedy("name one with --profile"))?;
    let path = profiles.get(&name)?.token_file.clone();
    if Kept::in_file(&path) == Kept::Session {
        return out_of_session(&path, name, context).await;
    }
    if Kept::in_file(&path) == Kept::Token {
        return Err(Failure::usage(format!("the profile `{name}` has an API token, which is no sign-in"))
            .remedy("`sortie token revoke ID` ends the token, `sortie profile remove` forgets the hub"));
    }
    let found = find(&HubOptions { data: None, profile: Some(name.clone()) }, &context.env)?;
    let out = match context.renewed(&path, &name)? {
        Some(sign_in) => {
            let found = Found { token: Token(sign_in.access_token), ..found };
            let also = LogOut { refresh_token: sign_in.refresh_token };
            match context.open(&found, PATIENCE)?.log_out(&also).await {
                Err(error) if error.problem().is_some_and(|problem| problem.code == Unauthenticated) => None,
                out => Some(out?),
            }
        }
        None => None,
    };
    forget(&path, out, context)
}

/// Ends what a profile keeps of a sign-in, and deletes its file. A hub that is away, or a sign-in that has ended
/// already, is no hindrance. Says whether there was a sign-in.
pub(super) async fn leave(name: &str, profile: &Profile, context: &Context) -> Result<bool, Failure> {
    let path = &profile.token_file;
    if Kept::in_file(path) == Kept::Token || !path.exists() {
        return Ok(false);
    }
    let refresh_token = sign_in::read(path, name).ok().and_then(|sign_in| sign_in.refresh_token);
    let options = HubOptions { data: None, profile: Some(name.to_owned()) };
    if let Ok(hub) = find(&options, &context.env).and_then(|found| context.open(&found, Span::ZERO)) {
        let _ = hub.log_out(&LogOut { refresh_token }).await;
    }
    std::fs::remove_file(path)
        .map_err(|error| Failure::other(format!("{} cannot be deleted: {error}", path.display())))?;
    Ok(true)
}

/// Ends a session that began with a password.
async fn out_of_session(path: &Path, name: String, context: &Context) -> Done {
    let found = find(&HubOptions { data: None, profile: Some(name) }, &context.env)?;
    let out = match context.open(&found, PATIENCE)?.log_out(&LogOut::default()).await {
        Err(error) if error.problem().is_some_and(|problem| problem.code == Unauthenticated) => None,
        out => Some(out?),
    };
    forget(path, out, context)
}

/// Deletes what was kept of a sign-in, and says what became of it.
fn forget(path: &Path, out: Option<LoggedOut>, context: &Context) -> Done {
    std::fs::remove_file(path)
        .map_err(|error| Failure::other(format!("{} cannot be deleted: {error}", path.display())))?;
    let had_ended = || LoggedOut { provider_told: false, detail: "Your sign-in had ended already.".to_owned() };
    context.output.either(&out.unwrap_or_else(had_ended), |out| {
        context.output.say(&out.detail);
        Ok(())
    })
}
