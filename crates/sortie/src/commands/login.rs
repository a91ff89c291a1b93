//! `sortie login`: somebody signs in with the hub's identity provider, on whatever device has a browser.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use sortie_client::Connect;
use sortie_client::people::{Hub, Token};
use sortie_client::provider::{DeviceCode, Provider, ProviderError, Tokens};
use sortie_client::retry::Patience;
use sortie_rules::sign_in::{AfterPoll, after_poll, first_pause};
use sortie_rules::time::{Millis, Span};
use sortie_wire::sessions::SignIn;
use sortie_wire::sign_in::ProviderDetails;

use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::{Profile, Profiles, check_profile_name, sign_in, trust};
use crate::values::read_password;

/// How long the hub and the first question to the provider are tried.
const PATIENCE: Span = Span::seconds(4);

/// What `sortie login` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie login --hub https://hub.example:8443 --ca hub-ca.pem --profile production\n\n\
                        A hub without an identity provider: sortie login --hub URL --ca FILE --account anna\n\n\
                        Shows an address and a code; open the one on any device and type the other. From then on\n\
                        commands use the profile, and renew its token by themselves until `sortie logout`.")]
pub(crate) struct LoginCommand {
    /// The hub's address; that of the profile if absent
    #[arg(long = "hub", value_name = "URL")]
    address: Option<String>,
    /// The hub's ca.pem, or the SHA-256 of its certificate; this machine's authorities if absent
    #[arg(long, value_name = "FILE|SHA256", requires = "address")]
    ca: Option<String>,
    /// The profile to note it under; the one in use if no hub is named, else `default`
    #[arg(long, value_name = "NAME", value_parser = check_profile_name)]
    profile: Option<String>,
    /// Sign in with a password of the hub's, for this account; it is asked for, or read from standard input
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// A certificate authority of the identity provider, beside this machine's
    #[arg(long, value_name = "FILE", conflicts_with = "account")]
    provider_ca: Option<PathBuf>,
}

/// Does it.
pub(crate) async fn run(command: LoginCommand, context: &Context) -> Done {
    let profiles = Profiles::read(&context.env)?;
    let (name, profile) = command.profile(&profiles)?;
    let hub = open(&profile, "", context)?;
    if let Some(account) = command.account {
        let session = with_password(&hub, account).await?;
        let profile = Profile { token_file: sign_in::session_file(&profiles.path, &name), ..profile };
        return note(name, profile, profiles, &session, |path| sign_in::write_session(path, &session), context).await;
    }
    let with = hub.sign_in_with().await?.provider.ok_or_else(|| {
        Failure::usage(format!("the hub at {} has no identity provider to sign in with", hub.address())).remedy(
            "sign in with a password: `sortie login --account NAME`; or note an API token: `sortie profile add`",
        )
    })?;
    let ca = command.provider_ca.map(std::path::absolute).transpose();
    let ca = ca.map_err(|error| Failure::usage(format!("--provider-ca cannot be used: {error}")))?;
    let provider = sign_in::provider(&with.token_endpoint, &with.client_id, ca.as_deref(), &context.clock)?;
    let tokens = sign_in_elsewhere(&provider, &with, context).await?;
    let empty = sign_in::SignIn {
        token_endpoint: with.token_endpoint,
        client_id: with.client_id,
        provider_ca: ca,
        access_token: String::new(),
        refresh_token: None,
        ends_at: Millis(0),
    };
    let kept = empty.with(tokens, context.clock.now());
    note(name, profile, profiles, &kept.access_token, |path| kept.write(path), context).await
}

/// Signs in with a password: the session's token.
async fn with_password(hub: &Hub, name: String) -> Result<String, Failure> {
    let password = read_password(&format!("Password of {name}"), false)?;
    let signed_in = hub.sign_in(&SignIn { name, password, as_token: true }).await?;
    signed_in.token.ok_or_else(|| Failure::other("the hub gave no token"))
}

/// Keeps a sign-in, and notes the profile that goes with it.
async fn note(
    name: String,
    profile: Profile,
    mut profiles: Profiles,
    token: &str,
    keep: impl FnOnce(&Path) -> Result<(), Failure>,
    context: &Context,
) -> Done {
    // Whether the hub knows them at all is told now, and not by the next command.
    let whoami = open(&profile, token, context)?.whoami().await?;
    if let Some(earlier) = profiles.profile.get(&name) {
        super::logout::leave(&name, earlier, context).await?;
    }
    keep(&profile.token_file)?;
    profiles.profile.insert(name.clone(), profile.clone());
    profiles.active.get_or_insert(name.clone());
    profiles.write()?;
    let in_use = profiles.active.as_deref() == Some(name.as_str());
    let how = if in_use { "is in use".to_owned() } else { format!("is used by `sortie profile use {name}`") };
    let (who, role) = (&whoami.name, whoami.role.as_str());
    context.output.say(&format!("Signed in as {who}, {role}. The profile `{name}` {how}."));
    if context.output.json() { context.output.value_line(&whoami) } else { Ok(()) }
}

impl LoginCommand {
    /// The profile to note, and its name.
    fn profile(&self, profiles: &Profiles) -> Result<(String, Profile), Failure> {
        let usual = || if self.address.is_some() { None } else { profiles.active.clone() };
        let name = self.profile.clone().or_else(usual).unwrap_or_else(|| "default".to_owned());
        let known = profiles.profile.get(&name);
        let token_file = profiles.path.with_file_name(format!("{name}.{}", sign_in::ENDING));
        let Some(address) = &self.address else {
            let known = known.ok_or_else(|| {
                Failure::usage(format!("there is no profile `{name}` to take the hub's address from"))
                    .remedy("sortie login --hub URL --ca FILE")
            })?;
            return Ok((name, Profile { token_file, ..known.clone() }));
        };
        if !address.starts_with("https://") {
            return Err(Failure::usage(format!("`{address}` is not a hub's address"))
                .remedy("it begins with https://, for example https://hub.example:8443"));
        }
        if let Some(other) = known.filter(|known| known.hub != *address) {
            return Err(Failure::usage(format!("the profile `{name}` is of another hub, {}", other.hub))
                .remedy("choose another name with --profile"));
        }
        let ca = match &self.ca {
            None => known.and_then(|known| known.ca.clone()),
            Some(ca) => Some(match trust(ca, "--ca")? {
                sortie_client::Trust::Fingerprint(digits) => digits,
                _ => absolute(Path::new(ca))?,
            }),
        };
        Ok((name, Profile { hub: address.clone(), token_file, ca }))
    }
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|error| Failure::usage(format!("{} cannot be used: {error}", path.display())))?;
    Ok(absolute.display().to_string())
}

/// The hub of a profile, with this token.
fn open(profile: &Profile, token: &str, context: &Context) -> Result<Hub, Failure> {
    let whom = profile.ca.as_ref().map_or(Ok(sortie_client::Trust::System), |ca| trust(ca, "the profile"))?;
    let connect = Connect::new(profile.hub.clone(), whom, context.clock.clone());
    let patience = Patience { total: PATIENCE, entropy: context.entropy.clone() };
    Ok(Hub::open(&connect, Token(token.to_owned()), patience)?)
}

/// Shows the code, and waits until somebody has typed it.
async fn sign_in_elsewhere(provider: &Provider, with: &ProviderDetails, context: &Context) -> Result<Tokens, Failure> {
    let endpoint = with.device_authorization_endpoint.as_deref().ok_or_else(|| {
        Failure::usage(format!("the identity provider {} has no sign-in on another device", with.issuer))
            .remedy("note an API token instead: `sortie profile add`")
    })?;
    let code = provider.begin(endpoint, &with.scopes).await.map_err(of_the_provider)?;
    show(&code, context)?;
    let life = i64::try_from(code.expires_in).map_or(Span::hours(1), Span::seconds);
    let end = context.clock.now() + life;
    let mut pause = first_pause(code.interval);
    loop {
        tokio::time::sleep(pause.to_std()).await;
        match provider.poll(&code).await {
            Ok(tokens) => return Ok(tokens),
            // A network that is away for a moment does not end a sign-in.
            Err(ProviderError::Unreachable { .. }) if context.clock.now() < end => {}
            Err(ProviderError::Refused { error, description }) => match after_poll(&error, pause) {
                AfterPoll::Again(_) if context.clock.now() >= end => return Err(too_late()),
                AfterPoll::Again(next) => pause = next,
                AfterPoll::Declined => return Err(Failure::new(Exit::Refused, "somebody declined the sign-in")),
                AfterPoll::TooLate => return Err(too_late()),
                AfterPoll::Refused(_) => return Err(of_the_provider(ProviderError::Refused { error, description })),
            },
            Err(error) => return Err(of_the_provider(error)),
        }
    }
}

fn too_late() -> Failure {
    Failure::new(Exit::TimedOut, "nobody typed the code in time").remedy("begin again: `sortie login`")
}

fn of_the_provider(error: ProviderError) -> Failure {
    let exit = match error {
        ProviderError::Refused { .. } => Exit::Refused,
        ProviderError::Unreachable { .. } | ProviderError::NotUnderstood { .. } => Exit::Unreachable,
    };
    Failure::new(exit, error.to_string())
}

fn show(code: &DeviceCode, context: &Context) -> Done {
    let output = context.output;
    output.say(&format!("Open {} and type {}", code.verification_uri, code.user_code));
    if let Some(complete) = &code.verification_uri_complete {
        output.say(&format!("  or open {complete}"));
    }
    if !output.json() {
        return Ok(());
    }
    output.value_line(&json!({
        "verification_uri": code.verification_uri, "verification_uri_complete": code.verification_uri_complete,
        "user_code": code.user_code, "expires_in": code.expires_in,
    }))
}
