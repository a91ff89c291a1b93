//! Where a hub's address, token and authority come from. The first source that is given wins, and
//! it is taken whole: an address from one place is never mixed with a token from another.

use std::fmt;
use std::path::{Path, PathBuf};

use sortie_client::Trust;
use sortie_client::people::Token;

use super::options::HubOptions;
use super::profiles::Profiles;
use super::sign_in;
use crate::context::Env;
use crate::exit::Failure;

/// A hub that a command can speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Who named it.
    pub(crate) source: Source,
    /// Its address.
    pub(crate) hub: String,
    /// The token to show.
    pub(crate) token: Token,
    /// Whom to believe.
    pub(crate) trust: Trust,
    /// The file of the sign-in that the token is of, and the profile that names it.
    pub(crate) sign_in: Option<(PathBuf, String)>,
}

/// Where a hub was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The data folder of a hub on this machine.
    Data(PathBuf),
    /// The variables.
    Environment,
    /// A profile, and what it keeps.
    Profile(String, Kept),
}

/// What a profile keeps to prove who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// An API token.
    Token,
    /// A sign-in at the identity provider.
    SignIn,
    /// A session that began with a password.
    Session,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Data(folder) => write!(f, "the data folder {}", folder.display()),
            Source::Environment => f.write_str("SORTIE_HUB"),
            Source::Profile(name, _) => write!(f, "the profile `{name}`"),
        }
    }
}

impl Source {
    /// What to do where whoever answers has a certificate from an authority that is not believed here.
    pub(crate) fn remedy_for_another_issuer(&self) -> String {
        const ROTATED: &str = "the hub's authority may have been rotated: take ca.pem from the hub's data folder again";
        let take = match self {
            Source::Data(folder) => {
                return format!("is what answers there the hub of {}?", folder.display());
            }
            Source::Environment => "and check SORTIE_CA, which must name it".to_owned(),
            Source::Profile(name, _) => format!("and note it with `sortie profile trust {name} ca.pem`"),
        };
        format!("{ROTATED}, {take}")
    }

    /// What to do where the hub does not take the token that comes from here.
    pub(crate) fn remedy(&self) -> String {
        match self {
            Source::Data(folder) => format!(
                "{} holds no token that is valid; `sortie org admin` at the hub makes one, for another administrator",
                folder.join("admin.token").display()
            ),
            Source::Environment => {
                "check SORTIE_TOKEN; on the hub's own machine, --data DIR finds admin.token".to_owned()
            }
            Source::Profile(name, Kept::Token) => {
                format!("the token of the profile `{name}` holds no more; `sortie profile add {name}` notes another")
            }
            Source::Profile(name, kept) => sign_in::again(name, *kept),
        }
    }
}

/// Finds the hub: `--data`, `--profile`, SORTIE_HUB, SORTIE_PROFILE, the profile in use.
pub(crate) fn find(options: &HubOptions, env: &Env) -> Result<Found, Failure> {
    if let Some(folder) = &options.data {
        return in_folder(folder);
    }
    if let Some(name) = &options.profile {
        return in_profile(&Profiles::read(env)?, name);
    }
    if let Some(hub) = env.get("SORTIE_HUB") {
        return in_environment(hub, env);
    }
    let profiles = Profiles::read(env)?;
    match env.get("SORTIE_PROFILE").or_else(|| profiles.active.clone()) {
        Some(name) => in_profile(&profiles, &name),
        None => Err(nowhere(&profiles)),
    }
}

fn nowhere(profiles: &Profiles) -> Failure {
    let noted = match profiles.profile.len() {
        0 => format!("no profile is noted in {}", profiles.path.display()),
        count => format!("none of the {count} profiles in {} is in use", profiles.path.display()),
    };
    Failure::usage(format!(
        "no hub was named: neither --data nor --profile was given, SORTIE_HUB is not set, and {noted}"
    ))
    .remedy(
        "on the hub's machine: --data DIR; elsewhere: set SORTIE_HUB, SORTIE_TOKEN and SORTIE_CA, \
         or `sortie profile add`",
    )
}

fn in_folder(folder: &Path) -> Result<Found, Failure> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|error| unreadable(folder, &path, &error))
    };
    Ok(Found {
        source: Source::Data(folder.to_owned()),
        hub: read("hub.url")?.trim().to_owned(),
        token: Token(read("admin.token")?.trim().to_owned()),
        trust: Trust::Pem(read("ca.pem")?),
        sign_in: None,
    })
}

fn unreadable(folder: &Path, path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::usage(format!("{} cannot be read: {error}", path.display()));
    match error.kind() {
        std::io::ErrorKind::NotFound if folder.join("identity/node.json").exists() => {
            failure.remedy(format!("{} is an agent's data folder; name the hub's", folder.display()))
        }
        std::io::ErrorKind::NotFound => failure.remedy(format!(
            "is {} the data folder of a hub? `sortie hub --data {}` makes these files at its first start",
            folder.display(),
            folder.display()
        )),
        std::io::ErrorKind::PermissionDenied => failure.remedy("only the hub's own user may read it: use sudo -u"),
        _ => failure,
    }
}

fn in_environment(hub: String, env: &Env) -> Result<Found, Failure> {
    let token = env.get("SORTIE_TOKEN").ok_or_else(|| {
        Failure::usage("SORTIE_HUB is set, SORTIE_TOKEN is not")
            .remedy("set it to a token of that hub; `sortie token create` makes one where you are an admin")
    })?;
    let trust = env.get("SORTIE_CA").map_or(Ok(Trust::System), |ca| trust(&ca, "SORTIE_CA"))?;
    Ok(Found { source: Source::Environment, hub, token: Token(token.trim().to_owned()), trust, sign_in: None })
}

fn in_profile(profiles: &Profiles, name: &str) -> Result<Found, Failure> {
    let profile = profiles.get(name)?;
    let ca = profile.ca.as_ref();
    let kept = Kept::in_file(&profile.token_file);
    let token = match kept {
        Kept::SignIn => Token(sign_in::read(&profile.token_file, name)?.access_token),
        Kept::Session if !profile.token_file.exists() => return Err(sign_in::signed_out(name, kept)),
        Kept::Session | Kept::Token => read_token(&profile.token_file)?,
    };
    Ok(Found {
        source: Source::Profile(name.to_owned(), kept),
        hub: profile.hub.clone(),
        token,
        trust: ca.map_or(Ok(Trust::System), |ca| trust(ca, &format!("the profile `{name}`")))?,
        sign_in: (kept == Kept::SignIn).then(|| (profile.token_file.clone(), name.to_owned())),
    })
}

impl Kept {
    /// What a file keeps, by its name.
    pub(crate) fn in_file(path: &Path) -> Kept {
        match () {
            () if sign_in::is_sign_in(path) => Kept::SignIn,
            () if sign_in::is_session(path) => Kept::Session,
            () => Kept::Token,
        }
    }
}

/// Reads a token's file.
pub(crate) fn read_token(path: &Path) -> Result<Token, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("the token file {} cannot be read: {error}", path.display())))?;
    Ok(Token(text.trim().to_owned()))
}

/// Whom to believe, from a text that is a fingerprint, the certificates themselves, or their file.
pub(crate) fn trust(text: &str, whence: &str) -> Result<Trust, Failure> {
    if text.contains("-----BEGIN") {
        return Ok(Trust::Pem(text.to_owned()));
    }
    let digits = text.chars().filter(|c| *c != ':').collect::<String>();
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(Trust::Fingerprint(digits.to_ascii_lowercase()));
    }
    std::fs::read_to_string(text).map(Trust::Pem).map_err(|error| {
        Failure::usage(format!("{whence} names {text}, which cannot be read: {error}"))
            .remedy("give a file of certificates (the hub's ca.pem), or the SHA-256 of its certificate in hex")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: Result<Found, Failure>) -> String {
        format!("{:?}", result.unwrap_err())
    }

    #[test]
    fn a_data_folder_is_taken_before_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("hub.url", "https://here:1\n"), ("admin.token", "t\n"), ("ca.pem", "pem")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let options = HubOptions { data: Some(folder.path().to_owned()), profile: None };
        let env = Env::of(&[("SORTIE_HUB", "https://there:2"), ("SORTIE_TOKEN", "u")]);
        let found = find(&options, &env).unwrap();
        assert_eq!((found.hub.as_str(), found.token.0.as_str()), ("https://here:1", "t"));
        let found = find(&HubOptions::default(), &env).unwrap();
        assert_eq!((found.source, found.trust), (Source::Environment, Trust::System));
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = HubOptions::default();
        let home = tempfile::tempdir().unwrap();
        let config = home.path().display().to_string();
        let empty = Env::of(&[("XDG_CONFIG_HOME", &config)]);
        let message = told(find(&none, &empty));
        for word in ["--data", "--profile", "SORTIE_HUB", "profiles.toml"] {
            assert!(message.contains(word), "{word}: {message}");
        }
        assert!(told(find(&none, &Env::of(&[("SORTIE_HUB", "https://x")]))).contains("SORTIE_TOKEN is not"));
        let folder = HubOptions { data: Some("/no/such/folder".into()), profile: None };
        assert!(told(find(&folder, &empty)).contains("/no/such/folder/hub.url"));
        let profile = HubOptions { data: None, profile: Some("prod".into()) };
        assert!(told(find(&profile, &empty)).contains("prod"));
    }

    #[test]
    fn an_authority_is_a_fingerprint_a_text_or_a_file() {
        assert_eq!(trust(&"AB:".repeat(32)[..95], "x").unwrap(), Trust::Fingerprint("ab".repeat(32)));
        assert_eq!(
            trust("-----BEGIN CERTIFICATE-----", "x").unwrap(),
            Trust::Pem("-----BEGIN CERTIFICATE-----".into())
        );
        assert!(format!("{:?}", trust("/no/ca.pem", "SORTIE_CA").unwrap_err()).contains("SORTIE_CA names /no/ca.pem"));
    }
}
