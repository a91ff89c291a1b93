//! For which nodes something was signed on this machine. A name is only the hub's word: that it stands for
//! another node than last time is said before anything is signed again.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sortie_wire::operations::Target;

use crate::context::Env;
use crate::exit::Failure;
use crate::find_hub::{config_folder, write_private};

/// The file of them.
#[derive(Debug)]
pub(crate) struct KnownNodes {
    path: PathBuf,
    known: Known,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// By hub, then by name.
    hubs: BTreeMap<String, BTreeMap<String, Target>>,
}

impl KnownNodes {
    /// Reads the file; none means that nothing was signed yet.
    pub(crate) fn read(env: &Env) -> Result<KnownNodes, Failure> {
        let path = config_folder(env)?.join("signed-for.json");
        let known = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Known::default(),
            Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}", path.display()))),
        };
        Ok(KnownNodes { path, known })
    }

    /// For which node the name stood when something was last signed for it.
    pub(crate) fn target(&self, hub: &str, name: &str) -> Option<&Target> {
        self.known.hubs.get(hub)?.get(name)
    }

    /// Remembers it.
    pub(crate) fn remember(&mut self, hub: &str, name: &str, target: &Target) -> Result<(), Failure> {
        if self.target(hub, name) == Some(target) {
            return Ok(());
        }
        self.known.hubs.entry(hub.to_owned()).or_default().insert(name.to_owned(), target.clone());
        let text = serde_json::to_string_pretty(&self.known).map_err(|error| Failure::other(error.to_string()))?;
        write_private(&self.path, &(text + "\n"))
            .map_err(|error| Failure::other(format!("{} cannot be written: {error}", self.path.display())))
    }
}
