//! What operators signed, as the helper sees it: with a copy of its own of whom the site believes and of the
//! node's key, and a time of its own. The agent may hand it newer operators; it follows them by itself, or not.

use std::path::{Path, PathBuf};

use sortie_rules::ids::NodeId;
use sortie_wire::operators::OperatorChain;

use super::protocol::Run;
use super::spool::Known as Kept;
use super::time::Time;
use super::trust;
use crate::data_folder::{read_if_there, write_whole};
use crate::handlers::Failure;
use crate::identity::{Identity, NodeKey};
use crate::operations::{Bearer, Given, Known, NotSet, NotTaken, Site, Verified, open, take_chain, unusable};

/// Where the fingerprint of the node's key is kept.
const KEY: &str = "identity/key.sha256";

/// What the helper judges by.
#[derive(Debug)]
pub(super) struct Desk {
    data: PathBuf,
    pub(super) time: Time,
}

/// Why an operation is not begun.
#[derive(Debug)]
pub(super) enum NotVerified {
    /// The hub's time must come first, for this nonce.
    AskTheTime(String),
    /// It is refused.
    Refused(Failure),
}

impl From<Failure> for NotVerified {
    fn from(failure: Failure) -> NotVerified {
        NotVerified::Refused(failure)
    }
}

impl Desk {
    /// The desk in the helper's own folder. The fingerprint of the node's key is taken at the first start, as the
    /// rest of its identity is.
    pub(super) fn open(data: &Path, agent_data: &Path, time: Time) -> Result<Desk, String> {
        let path = data.join(KEY);
        if read_if_there(&path).map_err(|error| error.to_string())?.is_none() {
            let key = NodeKey::load(&agent_data.join("identity/key.pem")).map_err(|error| error.to_string())?;
            let key = key.ok_or_else(|| format!("the agent in {} has no key", agent_data.display()))?;
            write_whole(&path, key.fingerprint().as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(Desk { data: data.to_owned(), time })
    }

    /// Takes the operators that whoever looks after the machine names, unless newer ones stand here already.
    pub(super) fn begin_with(&self, file: &Path) -> Result<(), String> {
        trust::only_ours(file)?;
        let Given::Chain(chain) = Given::file(file).map_err(|error| error.to_string())? else { return Ok(()) };
        match take_chain(&self.data, &chain, false) {
            Ok(known) => tracing::info!(version = known.version(), "the helper believes these operators"),
            Err(NotSet::NotTaken(NotTaken::Older { stands, .. })) => {
                tracing::info!(version = stands, "the helper believes newer operators than those of the file");
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// Follows what the agent hands on, and says which version is believed then. A helper that believes nobody
    /// stays so: its first operators come from whoever looks after the machine.
    pub(super) fn follow(&self, chain: &OperatorChain) -> Result<u64, String> {
        let known = Known::read(&self.data).map_err(|error| error.to_string())?;
        if !matches!(known, Known::Set(_)) {
            return Err(
                "this helper knows no operators; give them with `sortie agent helper --operators FILE`".to_owned()
            );
        }
        match take_chain(&self.data, chain, false) {
            Ok(known) => Ok(known.version()),
            // The agent may be behind.
            Err(NotSet::NotTaken(NotTaken::Older { stands, .. })) => Ok(stands),
            Err(error) => Err(error.to_string()),
        }
    }

    /// What operators signed of a run, if the site may do it.
    pub(super) fn verify(&self, run: &Run, kept: &Kept, needed: u32) -> Result<Verified, NotVerified> {
        let bearer =
            Bearer { task: run.task, run: run.run, type_name: &kept.type_name, operation: kept.operation.as_deref() };
        let opened = open(bearer)?;
        let known = Known::read(&self.data).map_err(|error| unusable(&error))?;
        let (node, key) = self.me().map_err(|error| Failure::failed("helper_refused", error, false))?;
        let now = self.time.of_operations().map_err(NotVerified::AskTheTime)?;
        let site = Site { node, key: &key, needed, known: &known, now };
        Ok(opened.verify(bearer, site)?)
    }

    fn me(&self) -> Result<(NodeId, String), String> {
        let node = Identity::record(&self.data).map_err(|error| error.to_string())?.node;
        let key = read_if_there(&self.data.join(KEY)).map_err(|error| error.to_string())?;
        Ok((node, key.ok_or("the fingerprint of the node's key is gone; start the helper again")?))
    }
}
