//! Lists nodes by name.

use sortie_rules::desired::Standings;
use sortie_store::nodes::{self, NodeFilter};
use sortie_wire::nodes::{Node, NodeQuery};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use super::show::shown;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::{page, page_size};
use crate::people::Principal;

/// One page of nodes.
pub(crate) async fn list(app: &App, who: &Principal, query: NodeQuery) -> Result<Page<Node>, Fault> {
    let limit = page_size(query.limit)?;
    let host = match &query.host {
        Some(host) => Some(app.nodes.find_named(&app.store, who.org, host).await?.id),
        None => None,
    };
    let filter = NodeFilter {
        host,
        site: query.site,
        kind: query.kind,
        presence: query.presence,
        standing: query.standing.as_deref().map(standings).transpose()?,
        label: labels(query.label.as_deref().unwrap_or(""))?,
        ..NodeFilter::default()
    };
    let (org, after) = (who.org, query.after);
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { nodes::list(tx, org, &filter, after.as_deref(), limit + 1).await }))
        .await?;
    Ok(page(rows, limit, |row| row.name.clone(), |row| shown(app, row)))
}

fn standings(text: &str) -> Result<Standings, Fault> {
    let bad = |error| refuse(ProblemCode::MalformedParameter, format!("standing: {error}."));
    Standings::parse(text).map_err(bad)
}

pub(crate) fn labels(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let pairs = text.split(',').filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = part.split_once('=').ok_or_else(|| {
            refuse(ProblemCode::MalformedParameter, format!("label: `{part}` is not of the form key=value."))
        })?;
        Ok((key.to_owned(), value.to_owned()))
    });
    pairs.collect()
}
