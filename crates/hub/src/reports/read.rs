//! Shows what nodes have reported.

use serde_json::value::RawValue;
use sortie_rules::limits::REPORTS_WITH_FACTS_MAX;
use sortie_store::reports::{self, ReportRow};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use sortie_wire::reports::{Report, ReportQuery};

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::{page, page_size};
use crate::people::Principal;

/// The newest report of each kind and subject of a node, or all of one kind and subject, newest first.
pub(super) async fn list(app: &App, who: &Principal, node: &str, query: ReportQuery) -> Result<Page<Report>, Fault> {
    let malformed = |detail: String| refuse(ProblemCode::MalformedParameter, detail);
    let usual = query.facts.then_some(REPORTS_WITH_FACTS_MAX);
    let limit = page_size(query.limit.or(usual))?;
    if query.facts && limit > REPORTS_WITH_FACTS_MAX {
        return Err(malformed(format!("With facts, limit is at most {REPORTS_WITH_FACTS_MAX}.")));
    }
    if query.kind.is_none() && (query.subject.is_some() || query.after.is_some()) {
        return Err(malformed("subject and after are for one kind: name it.".to_owned()));
    }
    let known = app.nodes.find_named(&app.store, who.org, node).await?;
    let (id, facts) = (known.id, query.facts);
    let is_of_kind = query.kind.is_some();
    let rows = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                match &query.kind {
                    None => reports::newest(tx, id, None, limit, facts).await,
                    Some(kind) => {
                        let subject = query.subject.as_deref().unwrap_or("");
                        reports::of_kind(tx, id, (kind, subject), query.after, limit + 1, facts).await
                    }
                }
            })
        })
        .await?;
    let rows = rows.into_iter().map(|row| shown(row, &known.name)).collect::<Result<Vec<Report>, Fault>>()?;
    match is_of_kind {
        true => Ok(page(rows, limit, |row| row.number.to_string(), |row| row)),
        false => Ok(Page { items: rows, next: None }),
    }
}

fn shown(row: ReportRow, name: &str) -> Result<Report, Fault> {
    let facts = row.facts.map(RawValue::from_string).transpose();
    let facts = facts.map_err(|error| Fault::Broken(format!("a report of the node {}: {error}", row.node)))?;
    Ok(Report {
        node: row.node,
        node_name: name.to_owned(),
        kind: row.kind,
        subject: (!row.subject.is_empty()).then_some(row.subject),
        number: row.number,
        taken_at: row.taken_at,
        received_at: row.received_at,
        source: row.source,
        facts,
    })
}
