//! A summary for somebody who asks: the parts that they may read, and nothing of another org.

use std::sync::Arc;

use sortie_rules::access::Permission;
use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_rules::summaries::Part;
use sortie_rules::time::Millis;
use sortie_wire::summary::Summary;

use super::count;
use crate::app::Shared;
use crate::fault::Fault;
use crate::people::Principal;
use crate::read_models::{Counted, ReadModel, Reading};

/// How old the parts are of which a summary is made.
struct Age {
    as_of: Millis,
    event: Option<u64>,
    outdated: bool,
}

impl Age {
    /// Takes a part's value; its age counts for the whole.
    fn with<T: Clone>(&mut self, reading: Option<Reading<T>>) -> Option<T> {
        let Reading { value, as_of, event, outdated } = reading?;
        self.as_of = self.as_of.min(as_of);
        self.event = Some(self.event.map_or(event, |oldest| oldest.min(event)));
        self.outdated |= outdated;
        Some(Arc::unwrap_or_clone(value))
    }
}

/// What there is to see for them. Whether they may is asked here, of whoever asks, whatever is in memory.
pub(super) async fn show(app: &Shared, who: &Principal) -> Result<Summary, Fault> {
    let (org, models) = (who.org, &app.summaries);
    let sees = |part: Part| part.is_seen_with(who.permissions, org == DEFAULT_ORG);
    let nodes = part(app, org, sees(Part::Nodes), &models.nodes, |app| count::nodes(app, org));
    let tasks = part(app, org, sees(Part::Tasks), &models.tasks, |app| count::tasks(app, org));
    let jobs = part(app, org, sees(Part::Jobs), &models.jobs, |app| count::jobs(app, org));
    let operations = part(app, org, sees(Part::Operations), &models.operations, |app| count::operations(app, org));
    let relays = app.outbox.is_some() && sees(Part::Outbox);
    let outbox = part(app, org, relays, &models.outbox, count::outbox);
    let (nodes, tasks, jobs, operations, outbox) = tokio::try_join!(nodes, tasks, jobs, operations, outbox)?;
    let mut age = Age { as_of: app.clock.now(), event: None, outdated: false };
    let (nodes, tasks, jobs) = (age.with(nodes), age.with(tasks), age.with(jobs));
    let (operations, outbox) = (age.with(operations), age.with(outbox));
    let event = age.event.filter(|_| who.permissions.contain(Permission::EventsRead));
    Ok(Summary { as_of: age.as_of, outdated: age.outdated, event, nodes, tasks, jobs, operations, outbox })
}

/// One part, for somebody who sees it.
async fn part<T, F>(
    app: &Shared,
    org: OrgId,
    sees: bool,
    model: &Arc<ReadModel<T>>,
    count: impl FnOnce(Shared) -> F,
) -> Result<Option<Reading<T>>, Fault>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<Counted<T>, Fault>> + Send + 'static,
{
    if !sees {
        return Ok(None);
    }
    model.read(app, org, count).await.map(Some)
}
