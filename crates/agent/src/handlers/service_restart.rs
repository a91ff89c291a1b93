//! `service.restart`: restarts a service that the policy lists, and sees that it is active afterwards.

use serde::Serialize;
use sortie_rules::exits::Exit;
use sortie_rules::tasks::Code;

use super::command::{Places, can_begin, is_for_helper, step};
use super::handler::{Failure, Output, Work};
use crate::clock::Steady;
use crate::policy::{NotDone, RestartPayload, SERVICE_RESTART};

/// How often a service that is not active yet is asked after.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(500);

#[derive(Serialize)]
struct Restarted {
    service: String,
    active: bool,
    restart_ms: i64,
}

/// Restarts it.
pub(crate) async fn run(work: Work, places: Places) -> Result<Output, Failure> {
    let RestartPayload { service } = work.read()?;
    let restart = work.policy.privileged_command(SERVICE_RESTART, &work.payload).map_err(refuse)?;
    let check = work.policy.service_check(&work.payload).map_err(refuse)?;
    let by_helper = is_for_helper(&restart).await?;
    can_begin(&restart, by_helper)?;
    can_begin(&check, false)?;
    let (begun, within) = (Steady::now(), work.policy.service_restart.active_within);
    if let Some(failure) = step(&work, &restart, by_helper, &places).await?.failure("the restart") {
        return Err(failure);
    }
    loop {
        let looked = step(&work, &check, false, &places).await?;
        if matches!(looked.exit, Ok(Exit::Code(0))) {
            return Output::of(&Restarted { service, active: true, restart_ms: begun.elapsed().0 });
        }
        if begun.elapsed() > within {
            let why = format!("{service} was restarted, and is not active {within} later");
            return Err(Failure::failed(Code::SERVICE_NOT_ACTIVE, why, false));
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = work.stop.cancelled() => return Err(Failure::Cancelled),
        }
    }
}

/// What the policy does not let, and what cannot be read.
pub(crate) fn refuse(not_done: NotDone) -> Failure {
    let message = not_done.to_string();
    match not_done {
        NotDone::Payload(..) => Failure::Rejected { code: Code::new(Code::BAD_PAYLOAD), message },
        NotDone::Service(_) => Failure::forbidden(message),
    }
}
