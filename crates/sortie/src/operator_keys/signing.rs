//! With which key something is signed, and the signature.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use sortie_wire::ssh::SshKey;

use super::key_file::{KeyFile, OpenedKey};
use super::ssh_agent::{Identity, SshAgent};
use crate::context::{Context, Env};
use crate::exit::Failure;
use crate::find_hub::config_folder;
use crate::output::Output;
use crate::values::read_password;

/// With which key.
#[derive(Debug, Clone, Args)]
pub(crate) struct KeyOptions {
    /// The operator's key, as `sortie keys new` made it [default: operator.key in the configuration folder]
    #[arg(long, value_name = "FILE", env = "SORTIE_OPERATOR_KEY", help_heading = "Key")]
    key: Option<PathBuf>,
    /// A file whose first line is the key's passphrase; it is asked for if absent
    #[arg(long, value_name = "FILE", env = "SORTIE_OPERATOR_PASSPHRASE_FILE", help_heading = "Key")]
    passphrase_file: Option<PathBuf>,
    /// Sign with a key of the SSH agent (SSH_AUTH_SOCK): its only one, or the one of this fingerprint
    #[arg(long, value_name = "FINGERPRINT", num_args = 0..=1, default_missing_value = "", conflicts_with = "key",
        help_heading = "Key")]
    ssh_agent: Option<String>,
}

/// What signs.
#[derive(Debug)]
pub(crate) enum Signing {
    /// A key from a file.
    Opened(Box<OpenedKey>),
    /// A key that an SSH agent holds.
    Agent(SshAgentKey),
}

/// A key that was found and whose passphrase, if it has one, was not asked for yet.
#[derive(Debug)]
pub(crate) enum Chosen {
    /// It lies in this file.
    File {
        /// Which.
        path: PathBuf,
        /// What is in it.
        file: Box<KeyFile>,
        /// Where its passphrase is, if it is not to be asked for.
        passphrase_file: Option<PathBuf>,
    },
    /// An SSH agent holds it.
    Agent(SshAgentKey),
}

/// A key of an SSH agent.
#[derive(Debug, Clone)]
pub(crate) struct SshAgentKey {
    agent: SshAgent,
    key: SshKey,
}

/// Where a key lies unless another file is named.
pub(crate) fn default_file(env: &Env) -> Result<PathBuf, Failure> {
    Ok(config_folder(env)?.join("operator.key"))
}

/// A passphrase: from a file, or asked for.
pub(crate) fn read_passphrase(
    file: Option<&PathBuf>,
    what: &str,
    is_new: bool,
    output: Output,
) -> Result<String, Failure> {
    let Some(path) = file else { return Ok(read_password(what, is_new)?.0) };
    warn_of_readers(path, output);
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("the passphrase file {} cannot be read: {error}", path.display())))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Says so if others than its owner can read a file that is nobody else's business.
fn warn_of_readers(path: &Path, output: Output) {
    let others = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if others {
        let shown = path.display();
        output.say(&format!("warning: others on this machine can read {shown}; chmod 600 {shown}"));
    }
}

impl KeyOptions {
    /// Finds the key, and asks for nothing.
    pub(crate) fn choose(&self, context: &Context) -> Result<Chosen, Failure> {
        let env = &context.env;
        if let Some(fingerprint) = &self.ssh_agent {
            return of_agent(fingerprint, env).map(Chosen::Agent);
        }
        let path = self.key.clone().map_or_else(|| default_file(env), Ok)?;
        let file = Box::new(KeyFile::read(&path)?);
        warn_of_readers(&path, context.output);
        Ok(Chosen::File { path, file, passphrase_file: self.passphrase_file.clone() })
    }

    /// Opens the key: asks for its passphrase, if it has one.
    pub(crate) fn open(&self, context: &Context) -> Result<Signing, Failure> {
        self.choose(context)?.open(context)
    }
}

impl Chosen {
    /// The public half.
    pub(crate) fn key(&self) -> &SshKey {
        match self {
            Chosen::File { file, .. } => &file.public,
            Chosen::Agent(held) => &held.key,
        }
    }

    /// Opens the key: asks for its passphrase, if it has one.
    pub(crate) fn open(&self, context: &Context) -> Result<Signing, Failure> {
        let (path, file, passphrase_file) = match self {
            Chosen::File { path, file, passphrase_file } => (path, file, passphrase_file),
            Chosen::Agent(held) => return Ok(Signing::Agent(held.clone())),
        };
        let asked = format!("Passphrase of {}", path.display());
        let passphrase = read_passphrase(passphrase_file.as_ref(), &asked, false, context.output)?;
        let opened = file.open(&passphrase).map_err(|failure| {
            failure.remedy(format!(
                "the key is {}, of {}; if its passphrase is lost, make another key with `sortie keys new --out FILE` \
                 and have the set of operators changed",
                path.display(),
                file.name
            ))
        })?;
        Ok(Signing::Opened(Box::new(opened)))
    }
}

fn of_agent(fingerprint: &str, env: &Env) -> Result<SshAgentKey, Failure> {
    let socket = env.get("SSH_AUTH_SOCK").ok_or_else(|| {
        Failure::usage("there is no SSH agent: SSH_AUTH_SOCK is not set").remedy("eval \"$(ssh-agent)\" && ssh-add")
    })?;
    let agent = SshAgent(PathBuf::from(socket));
    let mut identities = agent.identities().map_err(|error| Failure::usage(format!("the SSH agent: {error}")))?;
    let list = |identities: &[Identity]| {
        identities.iter().map(|one| format!("{} {}", one.key.fingerprint(), one.comment)).collect::<Vec<_>>().join(", ")
    };
    if !fingerprint.is_empty() {
        let known = list(&identities);
        identities.retain(|one| one.key.fingerprint() == fingerprint);
        if identities.is_empty() {
            return Err(Failure::usage(format!("the SSH agent holds no key {fingerprint} that can sign here"))
                .remedy(format!("it holds: {known}")));
        }
    }
    match <[Identity; 1]>::try_from(identities) {
        Ok([only]) => Ok(SshAgentKey { agent, key: only.key }),
        Err(none) if none.is_empty() => {
            Err(Failure::usage("the SSH agent holds no key that can sign here").remedy("ssh-add FILE"))
        }
        Err(several) => Err(Failure::usage("the SSH agent holds several keys; say which with --ssh-agent FINGERPRINT")
            .remedy(format!("it holds: {}", list(&several)))),
    }
}

impl Signing {
    /// The public half.
    pub(crate) fn key(&self) -> &SshKey {
        match self {
            Signing::Opened(opened) => &opened.public,
            Signing::Agent(held) => &held.key,
        }
    }

    /// The signature of a text, as SSH encodes it.
    pub(crate) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |error: io::Error| Failure::other(format!("the SSH agent has not signed: {error}"));
        match self {
            Signing::Opened(opened) => Ok(opened.sign(text)),
            Signing::Agent(held) => held.agent.sign(&held.key, text).map_err(failed),
        }
    }
}
