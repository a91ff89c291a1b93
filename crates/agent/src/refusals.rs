//! What this site has refused: a short list in the data folder, for whoever looks after the site. The hub
//! hears of each refusal, too; this is for those who have no hub to ask.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sortie_rules::ids::TaskId;
use sortie_rules::redaction::redact;
use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;

const FILE: &str = "refused.jsonl";
const OLDER: &str = "refused.older.jsonl";
/// A list that has grown to this becomes the older one, and another is begun.
const BYTES_MAX: u64 = 256 << 10;

/// A task that the site refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When.
    pub at: Millis,
    /// Which task.
    pub task: TaskId,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Why, in a word.
    pub code: Code,
    /// Why, in a sentence.
    pub message: String,
}

/// The list under writing.
#[derive(Debug)]
pub(crate) struct Refusals {
    folder: PathBuf,
    turn: Mutex<()>,
}

impl Refusals {
    /// The list in this data folder.
    pub(crate) fn new(folder: PathBuf) -> Refusals {
        Refusals { folder, turn: Mutex::new(()) }
    }

    /// Adds one. It is a help and no record: what cannot be written is told in the log.
    pub(crate) fn note(&self, refusal: &Refusal) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.append(refusal) {
            tracing::warn!(%error, "a refusal could not be added to {FILE}");
        }
    }

    fn append(&self, refusal: &Refusal) -> io::Result<()> {
        let path = self.folder.join(FILE);
        if std::fs::metadata(&path).is_ok_and(|file| file.len() >= BYTES_MAX) {
            std::fs::rename(&path, self.folder.join(OLDER))?;
        }
        let mut line = serde_json::to_vec(refusal)?;
        line.push(b'\n');
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)?.write_all(&line)
    }
}

/// The newest `limit` refusals in a data folder, the newest last. A line that a crash has cut is left out.
pub fn read_refusals(folder: &Path, limit: usize) -> io::Result<Vec<Refusal>> {
    let mut newest = VecDeque::new();
    for name in [OLDER, FILE] {
        let text = match std::fs::read(folder.join(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for line in text.split(|byte| *byte == b'\n') {
            newest.extend(serde_json::from_slice::<Refusal>(line).ok());
            if newest.len() > limit {
                newest.pop_front();
            }
        }
    }
    Ok(newest.into())
}

/// A refusal as a line for people.
pub(crate) fn in_words(refusal: &Refusal, now: Millis) -> String {
    let Refusal { at, task, type_name, code, message } = refusal;
    // What a hub sent is told without what a terminal would obey.
    redact(&format!("{} ago  {type_name}  {code}: {message}  (task {task})", now.since(*at))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: u128) -> Refusal {
        Refusal {
            at: Millis(i64::try_from(number).unwrap()),
            task: TaskId::from_uuid(uuid::Uuid::from_u128(number)),
            type_name: "sys.info".into(),
            code: Code::new(Code::TYPE_NOT_ALLOWED),
            message: "x".repeat(1000),
        }
    }

    #[test]
    fn the_newest_are_kept_and_the_list_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_refusals(folder.path(), 9).unwrap(), []);
        let list = Refusals::new(folder.path().to_owned());
        (1..=1000).for_each(|number| list.note(&refusal(number)));
        assert_eq!(read_refusals(folder.path(), 2).unwrap(), [refusal(999), refusal(1000)]);
        let kept = read_refusals(folder.path(), 10_000).unwrap().len();
        assert!((200..600).contains(&kept), "{kept}");
        std::fs::OpenOptions::new()
            .append(true)
            .open(folder.path().join(FILE))
            .and_then(|mut file| file.write_all(b"{\"at\": 7"))
            .unwrap();
        assert_eq!(read_refusals(folder.path(), 1).unwrap(), [refusal(1000)]);
    }
}
