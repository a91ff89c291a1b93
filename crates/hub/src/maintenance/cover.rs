//! Until when nodes are in maintenance.

use std::collections::HashMap;
use std::sync::Arc;

use sortie_rules::alarms::{Maintenance, maintained_until};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::selectors::Selected;
use sortie_rules::time::Millis;
use sortie_store::nodes::{self, Selectable};

use crate::app::App;
use crate::fault::Fault;

/// Until when some nodes of an org are in maintenance at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cover {
    of_nodes: HashMap<NodeId, Millis>,
    /// Until when every node is meant.
    of_the_rest: Option<Millis>,
}

impl Cover {
    /// Until when a node that was asked for is in maintenance; without a node, until when what is about none is.
    pub(crate) fn until(&self, node: Option<NodeId>) -> Option<Millis> {
        match node {
            Some(node) => self.of_nodes.get(&node).copied(),
            None => self.of_the_rest,
        }
    }
}

/// What an org's maintenance is at one moment.
#[derive(Debug)]
pub(crate) struct UnderWay {
    all: Arc<Vec<Maintenance>>,
    at: Millis,
}

impl UnderWay {
    /// Until when this node is in maintenance; without one, until when what is about none is.
    pub(crate) fn until(&self, node: Option<&Selectable>) -> Option<Millis> {
        let node = node.map(|node| Selected {
            name: &node.name,
            site: node.site.as_deref(),
            kind: &node.kind,
            labels: &node.labels,
        });
        maintained_until(&self.all, node, self.at)
    }

    /// Whether nothing at all is.
    fn is_empty(&self) -> bool {
        !self.all.iter().any(|one| one.window.from <= self.at && self.at < one.window.until)
    }
}

/// The maintenance of an org at this moment, from memory where it is known.
pub(crate) async fn under_way(app: &App, org: OrgId, at: Millis) -> Result<UnderWay, Fault> {
    Ok(UnderWay { all: app.maintenances.of(&app.store, org, at).await?, at })
}

/// Until when these nodes of an org are in maintenance at this moment: one query for all of them, and none where there
/// is no maintenance.
pub(crate) async fn cover(app: &App, org: OrgId, of: &[NodeId], at: Millis) -> Result<Cover, Fault> {
    let under_way = under_way(app, org, at).await?;
    if under_way.is_empty() {
        return Ok(Cover::default());
    }
    let mut of = of.to_vec();
    of.sort_unstable();
    of.dedup();
    let rows = app.store.read(move |tx| Box::pin(async move { nodes::all_for_selection(tx, &of).await })).await?;
    let of_nodes = rows.iter().filter_map(|row| under_way.until(Some(row)).map(|until| (row.id, until))).collect();
    Ok(Cover { of_nodes, of_the_rest: under_way.until(None) })
}
