//! Until when there is maintenance at a node: the one place in which the hub asks.

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::app::App;
use crate::fault::Fault;

/// Until when there is maintenance at this node, or in its org. This hub knows of none: nobody can announce any.
pub(super) async fn maintenance_until(
    _app: &App,
    _org: OrgId,
    _node: Option<NodeId>,
    _now: Millis,
) -> Result<Option<Millis>, Fault> {
    Ok(None)
}
