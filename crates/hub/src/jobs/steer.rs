//! Pauses, resumes and cancels. The loop does what follows.

use sortie_rules::ids::JobId;
use sortie_rules::jobs::{JobStatus, Refusal, cancel, pause, resume};
use sortie_store::jobs;
use sortie_wire::jobs::Job;
use sortie_wire::problem::ProblemCode;

use super::create::told;
use super::read;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// What somebody asks of a job.
#[derive(Debug, Clone, Copy)]
pub(super) enum Steer {
    Pause,
    Resume,
    Cancel,
}

impl Steer {
    fn decide(self, status: JobStatus) -> Result<JobStatus, Refusal> {
        match self {
            Steer::Pause => pause(status),
            Steer::Resume => resume(status),
            Steer::Cancel => cancel(status),
        }
    }

    const fn event(self) -> &'static str {
        match self {
            Steer::Pause => "job.paused",
            Steer::Resume => "job.resumed",
            Steer::Cancel => "job.cancel_asked",
        }
    }
}

/// Does it. Asking again changes nothing.
pub(super) async fn steer(app: &Shared, who: &Principal, id: JobId, what: Steer) -> Result<Job, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("job", id);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = jobs::get_any_org(tx, id).await?.filter(|row| row.org == org).ok_or_else(read::unknown)?;
                let before = row.life.status;
                let status = what.decide(before).map_err(|refusal| {
                    refuse(ProblemCode::JobOver, format!("{refusal}; `sortie job show {id}` tells how it went."))
                })?;
                if status == before {
                    return Ok(());
                }
                if !jobs::take_turn(tx, id, row.turn).await? {
                    return Err(refuse(ProblemCode::Conflict, "The job changed meanwhile; look again."));
                }
                jobs::set_status(tx, id, status, None).await?;
                audit::record(tx, act).await?;
                Ok::<_, Fault>(told(tx, org, id, what.event(), &actor, row.life.nodes, now).await?)
            })
        })
        .await?;
    app.jobs.nudge_new();
    read::show(app, who, id).await
}
