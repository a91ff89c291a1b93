//! Two people who write one layer: whoever comes second is told what is there now, beside what they sent.

use sortie_rules::access::Permission;
use sortie_store::desired::publications::LayerKey;
use sortie_wire::problem::ProblemCode;

use super::show;
use crate::app::App;
use crate::fault::Fault;
use crate::people::Principal;

/// Adds the layer as it stands to a conflict over it.
pub(super) async fn with_current<T>(
    app: &App,
    who: &Principal,
    key: LayerKey,
    done: Result<T, Fault>,
) -> Result<T, Fault> {
    let mut problem = match done {
        Err(Fault::Problem(problem)) if problem.code == ProblemCode::Conflict => problem,
        done => return done,
    };
    if who.permissions.contain(Permission::DesiredRead)
        && let Ok(shown) = show::layer(app, key).await
    {
        problem.current = serde_json::to_value(shown).ok();
    }
    Err(Fault::Problem(problem))
}
