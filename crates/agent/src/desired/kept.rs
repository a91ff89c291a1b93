//! The state that was accepted last: one file in the data folder, with the envelope as it came, so that the machine
//! can be made so again while the hub is away.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sortie_rules::desired::Accepted;
use sortie_rules::ids::NodeId;
use sortie_wire::desired::DesiredState;
use sortie_wire::envelope::{Envelope, Verifier};

use super::verify::{Opened, take_again};
use crate::data_folder::{FolderError, read_if_there, write_whole};

const FILE: &str = "desired.json";

/// What was accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    /// Which generation; 0 if none was.
    pub(super) accepted: Accepted,
    /// The state; `None` if none was.
    pub(super) state: Option<DesiredState>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// The SHA-256 of what was signed, in hex.
    digest: String,
    envelope: Envelope,
}

impl Kept {
    /// Nothing was accepted.
    pub(super) fn nothing() -> Kept {
        Kept { accepted: Accepted { generation: 0, digest: String::new() }, state: None }
    }

    /// This was.
    pub(super) fn of(opened: Opened) -> Kept {
        let Opened { state, digest } = opened;
        Kept { accepted: Accepted { generation: state.generation, digest }, state: Some(state) }
    }

    /// What lies in the folder. What cannot be used is told in the log and is as good as nothing: the hub is asked
    /// anew.
    pub(crate) fn read(folder: &Path, keys: &Verifier, me: NodeId) -> Result<Kept, FolderError> {
        let path = folder.join(FILE);
        let Some(text) = read_if_there(&path)? else { return Ok(Kept::nothing()) };
        let opened = serde_json::from_str::<Text>(&text)
            .map_err(|error| error.to_string())
            .and_then(|text| take_again(&text.envelope, keys, me, &text.digest).map_err(|error| error.to_string()));
        Ok(match opened {
            Ok(opened) => Kept::of(opened),
            Err(why) => {
                tracing::error!(file = %path.display(), why, "the desired state on disk cannot be used; the hub is \
                 asked anew");
                Kept::nothing()
            }
        })
    }

    /// Puts an accepted state on disk, whole.
    pub(super) fn write(folder: &Path, envelope: &Envelope, digest: &str) -> Result<(), FolderError> {
        let text = Text { digest: digest.to_owned(), envelope: envelope.clone() };
        // Text and lists of text: writing it as JSON cannot fail.
        write_whole(&folder.join(FILE), &serde_json::to_vec(&text).unwrap_or_default())
    }
}
