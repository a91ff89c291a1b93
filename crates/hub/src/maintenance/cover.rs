//! Until when nodes are in maintenance.

use std::collections::HashMap;

use sortie_rules::alarms::{Maintenance, maintained_until};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::selectors::Selected;
use sortie_rules::time::Millis;
use sortie_store::nodes;

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

/// Until when these nodes of an org are in maintenance at this moment: one query for all of them, and none where there
/// is no maintenance.
pub(crate) async fn cover(app: &App, org: OrgId, of: &[NodeId], at: Millis) -> Result<Cover, Fault> {
    let all = app.maintenances.of(&app.store, org, at).await?;
    let is_now = |one: &Maintenance| one.window.from <= at && at < one.window.until;
    if !all.iter().any(is_now) {
        return Ok(Cover::default());
    }
    let mut of = of.to_vec();
    of.sort_unstable();
    of.dedup();
    let rows = app.store.read(move |tx| Box::pin(async move { nodes::all_for_selection(tx, &of).await })).await?;
    let until = |row: &nodes::Selectable| {
        let node = Selected { name: &row.name, site: row.site.as_deref(), kind: &row.kind, labels: &row.labels };
        maintained_until(&all, Some(node), at).map(|until| (row.id, until))
    };
    let of_nodes = rows.iter().filter_map(until).collect();
    Ok(Cover { of_nodes, of_the_rest: maintained_until(&all, None, at) })
}
