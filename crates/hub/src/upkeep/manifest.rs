//! What a backup says of itself: who made it, of what, and the hash of each of its members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sortie_rules::time::Millis;
use sortie_store::whole::Tally;

/// The form of archive that this program writes and reads.
pub(super) const FORMAT: u32 = 1;
/// The member that comes first and says what the file is.
pub(super) const MARK: &str = "sortie-backup.json";
/// The member that comes last. A backup that was cut short has none.
pub(super) const MANIFEST: &str = "manifest.json";

/// The end of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the archive.
    pub format: u32,
    /// The backup's own id, in hex.
    pub id: String,
    /// As of when: just before the store was read.
    pub created_at: Millis,
    /// The version of the program that made it.
    pub hub_version: String,
    /// `sqlite` or `postgres`: where it came from. It can be restored into either.
    pub engine: String,
    /// The newest migration that the store had had.
    pub schema: i64,
    /// What the store held.
    pub tables: Vec<TableRecord>,
    /// What lay beside the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blobs: Option<BlobsRecord>,
    /// What came before this one, in its order.
    pub members: Vec<Member>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name in the archive.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// The blobs of a hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobsRecord {
    /// How many there were.
    pub blobs: u64,
    /// How many bytes they had.
    pub bytes: u64,
    /// Where they lay.
    pub place: String,
    /// Whether they are in the backup. What lies in an S3 store stays there.
    pub included: bool,
    /// How many of them were not in their place any more, or not what they were.
    pub lost: u64,
}

/// One table of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRecord {
    /// What it is called.
    pub name: String,
    /// What each line holds, in this order.
    pub columns: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// The SHA-256 of all its lines, in hex.
    pub sha256: String,
    /// How many more rows waited for a number, or for their link in the audit log.
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub waiting: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none_at_all(count: &u64) -> bool {
    *count == 0
}

/// The first member.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The form of the archive.
    pub(super) format: u32,
}

impl Manifest {
    /// What does not agree with these figures, if anything. Rows that waited got their number or link on the way,
    /// so tables that they are in are compared by nothing.
    pub(super) fn difference(&self, arrived: &BTreeMap<&'static str, Tally>) -> Option<(String, String, String)> {
        difference(
            self.tables.iter().map(|table| (table.name.as_str(), table.rows, &*table.sha256, table.waiting)),
            arrived,
        )
    }

    /// Whether a hub's keys are in it.
    pub fn has_keys(&self) -> bool {
        self.members.iter().any(|member| member.name.starts_with("keys/"))
    }
}

/// The first table that does not hold what was sent: its name, what was sent, and what arrived.
pub(super) fn difference<'a>(
    sent: impl Iterator<Item = (&'a str, u64, &'a str, u64)>,
    arrived: &BTreeMap<&'static str, Tally>,
) -> Option<(String, String, String)> {
    let sent: Vec<_> = sent.collect();
    let waited = sent.iter().any(|(.., waiting)| *waiting > 0);
    for (name, rows, sha256, _) in sent {
        if waited && ["events", "audit", "audit_waiting"].contains(&name) {
            continue;
        }
        let tally = arrived.get(name);
        let (rows_here, sha256_here) = tally.map_or((0, ""), |tally| (tally.rows, tally.sha256.as_str()));
        if rows != rows_here || (rows > 0 && sha256 != sha256_here) {
            let told =
                |rows: u64, sha256: &str| format!("{rows} rows (SHA-256 {})", sha256.get(..16).unwrap_or("none"));
            return Some((name.to_owned(), told(rows, sha256), told(rows_here, sha256_here)));
        }
    }
    None
}
