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
use sortie_rules::plain::plain;
use sortie_rules::redaction::redact;
use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;

const FILE: &str = "refused.jsonl";
const OLDER: &str = "refused.older.jsonl";
/// A list that has grown to this becomes the older one, and another is begun.
const BYTES_MAX: u64 = 256 << 10;

/// A task that the site refused, or a whole delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When.
    pub at: Millis,
    /// What.
    #[serde(flatten)]
    pub what: RefusedThing,
    /// Why, in a word.
    pub code: Code,
    /// Why, in a sentence.
    pub message: String,
}

/// What was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RefusedThing {
    /// A task.
    Task {
        /// Which.
        task: TaskId,
        /// Its type.
        #[serde(rename = "type")]
        type_name: String,
    },
    /// A whole delivery.
    Delivery {
        /// Its number, if it could be believed that far.
        delivery: Option<u64>,
        /// How many were refused for this reason so far.
        times: u64,
    },
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
    let Refusal { at, what, code, message } = refusal;
    let (what, more) = match what {
        RefusedThing::Task { task, type_name } => (type_name.clone(), format!("task {task}")),
        RefusedThing::Delivery { delivery: Some(number), times } => (format!("delivery {number}"), so_often(*times)),
        RefusedThing::Delivery { delivery: None, times } => ("a delivery".to_owned(), so_often(*times)),
    };
    let line = format!("{} ago  {what}  {code}: {message}  ({more})", now.since(*at).rounded());
    // What a hub sent is told without what a terminal would obey.
    plain(&redact(&line))
}

fn so_often(times: u64) -> String {
    match times {
        1 => "the first for this reason".to_owned(),
        times => format!("{times} for this reason so far"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: u128) -> Refusal {
        Refusal {
            at: Millis(i64::try_from(number).unwrap()),
            what: RefusedThing::Task { task: TaskId::from_uuid(uuid::Uuid::from_u128(number)), type_name: "x".into() },
            code: Code::new(Code::TYPE_NOT_ALLOWED),
            message: "x".repeat(1000),
        }
    }

    #[test]
    fn a_delivery_is_told_by_its_number_and_how_often_it_was() {
        let what = RefusedThing::Delivery { delivery: Some(7), times: 4 };
        let refusal = Refusal { what, code: Code::new("expired"), message: "too late".into(), ..refusal(1) };
        let json = serde_json::to_string(&refusal).unwrap();
        assert_eq!(json, r#"{"at":1,"delivery":7,"times":4,"code":"expired","message":"too late"}"#);
        assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal);
        let obeyed = Refusal { message: "\u{1b}[2Jgone\u{202e}".into(), ..refusal.clone() };
        assert!(in_words(&obeyed, Millis(1)).contains("expired:  [2Jgone"));
        let line = in_words(&refusal, Millis(1));
        assert!(line.ends_with("delivery 7  expired: too late  (4 for this reason so far)"), "{line}");
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
