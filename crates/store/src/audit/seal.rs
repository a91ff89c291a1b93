//! Giving entries their links.

use std::collections::BTreeMap;

use sortie_rules::audit::{Hash, NO_HASH, link_bytes, write_link};
use sortie_rules::ids::OrgId;
use sortie_rules::limits::AUDIT_BLOCK_BYTES_MAX;

use super::entry::{NewEntry, sha256};
use super::wait;
use crate::dialect;
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// What is around an entry in its line: two hashes in hex, a number, and the words for them.
const LINE_BYTES: usize = 200;

/// The links of one row, while they are made.
struct Links {
    first: u64,
    last: u64,
    hash: Hash,
    lines: String,
}

/// Appends entries to the chains of their orgs, in this order.
pub(crate) async fn seal(tx: &mut Tx, entries: Vec<NewEntry>) -> Result<(), StoreError> {
    let mut by_org: BTreeMap<OrgId, Vec<NewEntry>> = BTreeMap::new();
    for entry in entries {
        by_org.entry(entry.org).or_default().push(entry);
    }
    for (org, entries) in by_org {
        append(tx, org, entries).await?;
    }
    Ok(())
}

/// Gives up to `limit` committed entries that have none their links, in the order in which they were begun.
/// Returns how many; `limit` means that there may be more. Of hubs that try at once, one waits for the other.
/// On SQLite there is nothing to do.
pub async fn seal_waiting(tx: &mut Tx, limit: u32) -> Result<u64, StoreError> {
    if !tx.is_postgres() {
        return Ok(0);
    }
    // A statement of its own: the next ones must see what the last holder of the lock committed.
    tx.query(dialect::LOCK_AUDIT_CHAINS, &[]).await?;
    let (mut taken, mut entries): (Vec<[Value<'_>; 1]>, Vec<NewEntry>) = (Vec::new(), Vec::new());
    for row in tx.query(wait::OLDEST, &[limit.into()]).await? {
        let mut row = row.columns("audit_waiting");
        taken.push([row.int("row_id")?.into()]);
        entries.push(NewEntry::new(row.id("org")?, row.text("entry")?));
    }
    tx.execute_each(wait::TAKE, &taken).await?;
    let count = entries.len() as u64;
    seal(tx, entries).await?;
    Ok(count)
}

async fn append(tx: &mut Tx, org: OrgId, entries: Vec<NewEntry>) -> Result<(), StoreError> {
    let (mut number, mut hash) = super::head(tx, org).await?.unwrap_or((0, NO_HASH));
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let mut links = Links { first: number + 1, last: number, hash, lines: String::new() };
        while let Some(entry) = entries.next_if(|next| links.has_room(next)) {
            links.push(&entry);
        }
        insert(tx, org, &links).await?;
        (number, hash) = (links.last, links.hash);
    }
    Ok(())
}

impl Links {
    /// A row without a link has room for any.
    fn has_room(&self, entry: &NewEntry) -> bool {
        self.lines.is_empty() || self.lines.len() + entry.text.len() + LINE_BYTES <= AUDIT_BLOCK_BYTES_MAX
    }

    fn push(&mut self, entry: &NewEntry) {
        let (previous, number) = (self.hash, self.last + 1);
        let hash = sha256(&link_bytes(&previous, number, &entry.hash));
        self.lines.reserve(entry.text.len() + LINE_BYTES);
        write_link(&mut self.lines, number, &previous, &hash, &entry.text);
        (self.last, self.hash) = (number, hash);
    }
}

async fn insert(tx: &mut Tx, org: OrgId, links: &Links) -> Result<(), StoreError> {
    const SQL: &str = "insert into audit (org, first, last, hash, lines) values ($1, $2, $3, $4, $5)";
    let values =
        [org.into(), links.first.into(), links.last.into(), links.hash.as_slice().into(), links.lines.as_str().into()];
    tx.execute(SQL, &values).await.map(drop)
}
