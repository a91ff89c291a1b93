//! The file in which a sign-in is kept: for its owner only, beside the profiles. Commands renew it when its
//! token is near its end, one at a time: a provider that gives a refresh token once sees it once.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sortie_client::provider::{Provider, ProviderError, Tokens};
use sortie_client::{Clock, Connect, Trust};
use sortie_rules::sign_in::is_due;
use sortie_rules::time::{Millis, Span};

use super::profiles::write_private;
use super::sources::{Kept, trust};
use crate::exit::{Exit, Failure};

/// How the name of such a file ends.
pub(crate) const ENDING: &str = "sign-in.json";
/// How long a token holds of which the provider does not say it.
const LIFE_DEFAULT: Span = Span::minutes(5);

/// A sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignIn {
    /// Where tokens are renewed.
    pub(crate) token_endpoint: String,
    /// As which client.
    pub(crate) client_id: String,
    /// Whom to believe to be the provider, beside this machine's authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider_ca: Option<PathBuf>,
    /// What the hub is shown.
    pub(crate) access_token: String,
    /// What the next token is got with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// When the access token ends.
    pub(crate) ends_at: Millis,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignIn(at {}, tokens withheld)", self.token_endpoint)
    }
}

/// How the file is called that keeps a session which began with a password.
const SESSION_ENDING: &str = "session";

/// Where the session of a profile is kept.
pub(crate) fn session_file(profiles: &Path, name: &str) -> PathBuf {
    profiles.with_file_name(format!("{name}.{SESSION_ENDING}"))
}

/// Whether this file keeps a session.
pub(crate) fn is_session(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == SESSION_ENDING)
}

/// Keeps a session, for its owner only.
pub(crate) fn write_session(path: &Path, token: &str) -> Result<(), Failure> {
    write_private(path, token).map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))
}

/// Whether a file is a sign-in's, by its name.
pub(crate) fn is_sign_in(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
}

/// Reads a sign-in.
pub(crate) fn read(path: &Path, profile: &str) -> Result<SignIn, Failure> {
    let remedy = again(profile, Kept::SignIn);
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => signed_out(profile, Kept::SignIn),
        _ => Failure::usage(format!("{} cannot be read: {error}", path.display())),
    })?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{} cannot be used: {error}", path.display())).remedy(remedy))
}

impl SignIn {
    /// Keeps it.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::other(error.to_string()))?;
        write_private(path, &text)
            .map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))
    }

    /// The same with what the provider gave.
    pub(crate) fn with(self, tokens: Tokens, now: Millis) -> SignIn {
        let life = tokens.expires_in.and_then(|seconds| i64::try_from(seconds).ok()).map(Span::seconds);
        SignIn {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token.or(self.refresh_token),
            ends_at: now + life.unwrap_or(LIFE_DEFAULT),
            ..self
        }
    }
}

/// The provider of a sign-in.
pub(crate) fn provider(
    token_endpoint: &str,
    client_id: &str,
    ca: Option<&Path>,
    clock: &Clock,
) -> Result<Provider, Failure> {
    let also = match ca.map(|file| trust(&file.display().to_string(), "--provider-ca")).transpose()? {
        Some(Trust::Pem(pem)) => Some(pem),
        Some(_) => return Err(Failure::usage("--provider-ca must be a file of certificates")),
        None => None,
    };
    let connect = Connect { also_trust: also, ..Connect::new(token_endpoint, Trust::System, clock.clone()) };
    Ok(Provider::new(&connect, token_endpoint, client_id)?)
}

/// The sign-in with a token that holds for a while: renewed if it is near its end. None if it cannot be.
pub(crate) async fn fresh(path: &Path, profile: &str, clock: &Clock) -> Result<Option<SignIn>, Failure> {
    let sign_in = read(path, profile)?;
    if !is_due(clock.now(), sign_in.ends_at) {
        return Ok(Some(sign_in));
    }
    let _lock = lock(path).map_err(|error| Failure::other(format!("{} cannot be locked: {error}", path.display())))?;
    // Another command may have renewed it while this one waited.
    let sign_in = read(path, profile)?;
    let Some(refresh) = sign_in.refresh_token.clone().filter(|_| is_due(clock.now(), sign_in.ends_at)) else {
        return Ok(Some(sign_in).filter(|sign_in| clock.now() < sign_in.ends_at));
    };
    let at = provider(&sign_in.token_endpoint, &sign_in.client_id, sign_in.provider_ca.as_deref(), clock)?;
    match at.refresh(&refresh).await {
        Ok(tokens) => {
            let renewed = sign_in.with(tokens, clock.now());
            renewed.write(path)?;
            Ok(Some(renewed))
        }
        // A provider that is away for a moment does no harm yet.
        Err(error) if clock.now() < sign_in.ends_at && !matches!(error, ProviderError::Refused { .. }) => {
            Ok(Some(sign_in))
        }
        Err(ProviderError::Refused { .. }) => Ok(None),
        Err(error) => Err(Failure::new(Exit::Unreachable, format!("your sign-in cannot be renewed: {error}"))),
    }
}

/// What is said of a sign-in that has ended for good.
pub(crate) fn ended(profile: &str) -> Failure {
    Failure::usage("your sign-in has ended").remedy(format!("sortie login --profile {profile}"))
}

/// What is said of a profile whose sign-in was ended here.
pub(crate) fn signed_out(profile: &str, kept: Kept) -> Failure {
    Failure::usage("you are signed out").remedy(again(profile, kept))
}

/// How to sign in again.
pub(crate) fn again(profile: &str, kept: Kept) -> String {
    let account = if kept == Kept::Session { " --account NAME" } else { "" };
    format!("sortie login --profile {profile}{account}")
}

/// Held while a sign-in is renewed.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path.with_extension("lock"))?;
    file.lock()?;
    Ok(file)
}
