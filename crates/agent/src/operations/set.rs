//! Whom somebody at the site says that it shall believe: a file with the sets of operators, or the fingerprint
//! of one that the hub may hand on.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use sortie_rules::time::Millis;
use sortie_wire::operators::{Operator, OperatorChain, fingerprint_of};

use super::follow::{NotTaken, follow};
use super::known::{Known, Unusable, change};
use crate::clock::{Clock, Entropy};
use crate::hub::{Hub, HubError};
use crate::identity::{Identity, IdentityError};
use crate::line::HubTime;
use crate::settings::Settings;

/// Largest file of operators that is read, in bytes: as many sets as there may be, each with all members.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Digits of a fingerprint: SHA-256 in hex.
const FINGERPRINT_DIGITS: usize = 64;

/// What was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// The sets.
    Chain(OperatorChain),
    /// The fingerprint of a set.
    Fingerprint(String),
}

/// It is neither.
#[derive(Debug, thiserror::Error)]
pub enum NotAChain {
    /// There is no such file.
    #[error(
        "`{}` cannot be read; give a file with the operators, or the {FINGERPRINT_DIGITS} digits of a fingerprint",
        .path.display()
    )]
    Unreadable {
        /// What was given.
        path: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("{} holds no operators: {why}; `sortie operators new` makes such a file", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl FromStr for Given {
    type Err = NotAChain;

    fn from_str(text: &str) -> Result<Given, NotAChain> {
        if text.len() == FINGERPRINT_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Given::Fingerprint(text.to_ascii_lowercase()));
        }
        Given::file(Path::new(text))
    }
}

impl Given {
    /// Reads a file with operators.
    pub fn file(path: &Path) -> Result<Given, NotAChain> {
        let unusable = |why: String| NotAChain::Unusable { path: path.to_owned(), why };
        let read = || -> std::io::Result<Vec<u8>> {
            let mut text = Vec::new();
            let file = std::fs::File::open(path)?;
            std::io::Read::read_to_end(&mut std::io::Read::take(file, FILE_BYTES_MAX + 1), &mut text)?;
            Ok(text)
        };
        let text = read().map_err(|source| NotAChain::Unreadable { path: path.to_owned(), source })?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(unusable(format!("it has more than {FILE_BYTES_MAX} bytes")));
        }
        let chain: OperatorChain = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
        Ok(Given::Chain(chain))
    }
}

/// What a site is told.
#[derive(Debug)]
pub struct SetOperators {
    /// The agent's settings, with its data folder.
    pub settings: Settings,
    /// Whom it shall believe; nothing is changed if absent.
    pub given: Option<Given>,
    /// Also if they do not follow those whom it believes.
    pub replace: bool,
}

/// Whom a site believes now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorsOutcome {
    /// The fingerprint of their set; absent if the site knows nobody.
    pub fingerprint: Option<String>,
    /// The version of their set; absent if it has not come yet.
    pub version: Option<u64>,
    /// How many of them must sign the set that follows.
    pub needed: Option<u32>,
    /// The operators.
    pub members: Vec<Member>,
}

/// One operator as a site shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The name in the set.
    pub name: String,
    /// The fingerprint of the key.
    pub fingerprint: String,
    /// The key.
    pub key: String,
}

/// Why a site goes on to believe whom it believed before.
#[derive(Debug, thiserror::Error)]
pub enum NotSet {
    /// They do not follow.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// It waits for another set.
    #[error(
        "this site was told to wait for the set of operators with the fingerprint {0}; if you know that it is \
         another, say so with --replace"
    )]
    Awaited(String),
    /// The hub has no such set.
    #[error(
        "none of the hub's sets of operators has the fingerprint {0}; nothing was changed. Compare it with what \
         `sortie operators show` prints at an operator's machine, and have the set published first"
    )]
    NotPublished(String),
    /// The file cannot be read or written.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// There is no such folder.
    #[error("there is no data folder {}", .0.display())]
    NoFolder(PathBuf),
    /// The agent is not enrolled, so the hub cannot be asked.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The hub cannot be asked.
    #[error("the hub, which was to hand on the operators of that fingerprint, could not be asked: {0}")]
    Hub(#[from] HubError),
}

impl OperatorsOutcome {
    pub(crate) fn of(known: &Known) -> OperatorsOutcome {
        let fingerprint = known.fingerprint().map(str::to_owned);
        let Known::Set(believed) = known else {
            return OperatorsOutcome { fingerprint, version: None, needed: None, members: Vec::new() };
        };
        let set = believed.operators.set();
        let member = |operator: &Operator| Member {
            name: operator.name.clone(),
            fingerprint: operator.key.fingerprint(),
            key: operator.key.to_string(),
        };
        OperatorsOutcome {
            fingerprint,
            version: Some(set.version),
            needed: Some(set.needed),
            members: set.members.iter().map(member).collect(),
        }
    }
}

/// Sets whom a site believes, and says whom it does then.
pub async fn set_operators(command: SetOperators, clock: Clock, entropy: &Entropy) -> Result<OperatorsOutcome, NotSet> {
    let SetOperators { settings, given, replace } = command;
    let folder = settings.data.clone();
    if !folder.is_dir() {
        return Err(NotSet::NoFolder(folder));
    }
    let known = match given {
        None => Known::read(&folder)?,
        Some(Given::Chain(chain)) => take_chain(&folder, &chain, replace)?,
        Some(Given::Fingerprint(fingerprint)) => {
            take_fingerprint(&settings, fingerprint, replace, clock, entropy).await?
        }
    };
    Ok(OperatorsOutcome::of(&known))
}

/// Believes this chain from its first set on, if it follows what stands in the folder, or is to replace it.
pub(crate) fn take_chain(folder: &Path, chain: &OperatorChain, replace: bool) -> Result<Known, NotSet> {
    change(folder, |known| {
        let known = if replace { Known::Nobody } else { known? };
        Ok(follow(&known, chain)?.map(|believed| Known::Set(Box::new(believed))))
    })
}

async fn take_fingerprint(
    settings: &Settings,
    fingerprint: String,
    replace: bool,
    clock: Clock,
    entropy: &Entropy,
) -> Result<Known, NotSet> {
    let folder = &settings.data;
    let known = awaiting(Known::read(folder), &fingerprint, replace)?;
    if matches!(known, Known::Set(_)) && known.fingerprint() == Some(&fingerprint) {
        return Ok(known);
    }
    fetch(settings, &fingerprint, replace, clock, entropy).await
}

/// Whom the site believes, as far as the set of this fingerprint may follow: nothing is waited for before the hub
/// has handed it on, so that a slip of the pen leaves nothing behind.
fn awaiting(known: Result<Known, Unusable>, fingerprint: &str, replace: bool) -> Result<Known, NotSet> {
    let pin = || Known::Pinned(fingerprint.to_owned());
    match known {
        Ok(known) if known.fingerprint() == Some(fingerprint) => Ok(known),
        _ if replace => Ok(pin()),
        Err(error) => Err(error.into()),
        Ok(Known::Nobody) => Ok(pin()),
        Ok(Known::Pinned(awaited)) => Err(NotSet::Awaited(awaited)),
        Ok(known @ Known::Set(_)) => Ok(known),
    }
}

/// Asks the hub for the operators, and believes those who lead to, or on from, the set of this fingerprint.
pub(crate) async fn fetch(
    settings: &Settings,
    fingerprint: &str,
    replace: bool,
    clock: Clock,
    entropy: &Entropy,
) -> Result<Known, NotSet> {
    let identity = Identity::load(&settings.data)?;
    let time = Arc::new(HubTime::new(clock, Millis(0)));
    let hub = Hub::open(identity, settings, time, entropy.clone())?;
    let chain = hub.line().operators(hub.node(), 0).await.map_err(HubError::from)?;
    if !chain.links.iter().any(|link| fingerprint_of(link).as_deref() == Some(fingerprint)) {
        return Err(NotSet::NotPublished(fingerprint.to_owned()));
    }
    change(&settings.data, |known| {
        let known = awaiting(known, fingerprint, replace)?;
        // What is believed already has to lead to the set that was named.
        Ok(follow(&known, &chain)?.map(|believed| Known::Set(Box::new(believed))))
    })
}
