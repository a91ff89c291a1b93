//! Reads the audit log in pages, newest first.

use sortie_rules::limits::{AUDIT_BLOCKS_AT_ONCE, AUDIT_BLOCKS_PER_PAGE_MAX};
use sortie_rules::time::Span;
use sortie_store::audit::{self, Block};
use sortie_wire::audit::{AuditEntry, AuditLink, AuditQuery};
use sortie_wire::pages::Page;

use super::seal::seal;
use crate::app::App;
use crate::fault::Fault;
use crate::http::page_size;
use crate::people::Principal;

/// Entries are linked in the order in which they are committed, and the clocks of several hubs differ: the times of
/// two neighbours may be out of order by so much.
const OUT_OF_ORDER_MAX: Span = Span::minutes(10);

/// One page. It may have fewer entries than were asked for, or none, although more follow: then its `next` says
/// where to go on looking.
pub(super) async fn list(app: &App, who: &Principal, query: AuditQuery) -> Result<Page<AuditLink>, Fault> {
    let limit = page_size(query.limit)? as usize;
    seal(app).await?;
    let org = who.org;
    let mut before = query.after.unwrap_or(u64::MAX).min(i64::MAX.unsigned_abs());
    let (mut items, mut looked_through) = (Vec::new(), 0);
    while before > 1 && looked_through < AUDIT_BLOCKS_PER_PAGE_MAX {
        let blocks = app
            .store
            .read(move |tx| Box::pin(async move { audit::list_newest(tx, org, before, AUDIT_BLOCKS_AT_ONCE).await }))
            .await?;
        looked_through += AUDIT_BLOCKS_AT_ONCE;
        if blocks.is_empty() {
            return Ok(Page { next: None, items });
        }
        for block in blocks {
            for link in links(&block)?.into_iter().rev().filter(|link| link.number < before) {
                if query.since.is_some_and(|since| link.entry.at + OUT_OF_ORDER_MAX < since) {
                    return Ok(Page { next: None, items });
                }
                if is_wanted(&query, &link.entry) {
                    if items.len() == limit {
                        let next = items.last().map(|last: &AuditLink| last.number.to_string());
                        return Ok(Page { next, items });
                    }
                    items.push(link);
                }
            }
            before = block.first;
        }
    }
    Ok(Page { next: (before > 1).then(|| before.to_string()), items })
}

/// The links of a block.
fn links(block: &Block) -> Result<Vec<AuditLink>, Fault> {
    let read = |line: &str| serde_json::from_str(line);
    let links: Result<Vec<AuditLink>, serde_json::Error> = block.lines.lines().map(read).collect();
    links.map_err(|error| {
        let (first, last) = (block.first, block.last);
        Fault::Broken(format!("the audit log cannot be read between the links {first} and {last}: {error}"))
    })
}

fn is_wanted(query: &AuditQuery, entry: &AuditEntry) -> bool {
    let is = |wanted: &Option<String>, fits: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(fits);
    let is_under =
        |action: &str| entry.action.strip_prefix(action).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let is_object = |text: &str| {
        entry.object.as_ref().is_some_and(|object| object.id == text || object.name.as_deref() == Some(text))
    };
    is(&query.actor, &|text| entry.actor.name == text || entry.actor.key == text)
        && is(&query.action, &is_under)
        && is(&query.object, &is_object)
        && query.outcome.is_none_or(|outcome| entry.outcome == outcome)
        && query.since.is_none_or(|since| entry.at >= since)
        && query.until.is_none_or(|until| entry.at < until)
}
