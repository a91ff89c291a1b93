//! `host.reboot`: a run that ends after the machine is back.
//!
//! That it has begun, and in which boot, is on disk before anybody is asked for a reboot; from then on it is
//! never asked for again, whatever crashes. In another boot the run is completed; in the same one it is waited
//! for as long as the policy says, and then the run has failed.

use std::sync::Arc;

use serde::Serialize;
use sortie_rules::exits::Exit;
use sortie_rules::reboots::{Asked, Seen, see};
use sortie_rules::tasks::Code;
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use tokio_util::sync::CancellationToken;

use super::outcome::{Ending, ended};
use super::run::Runner;
use crate::boot::boot_of_machine;
use crate::handlers::command::{can_begin, is_for_helper, step};
use crate::handlers::{Failure, Output, Work, refuse};
use crate::ledger::{BeginReboot, Rebooting, RunKey};
use crate::policy::{Command, HOST_REBOOT, Policy, reboot_payload};

#[derive(Serialize)]
struct Rebooted {
    boot_before: String,
    boot_after: String,
    down_ms: i64,
}

impl Runner {
    /// Reboots the machine when its delay is over. `None` if the agent ends before that is done with.
    pub(super) async fn reboot_when_due(
        &self,
        mut handed: HandedTask,
        mut policy: Arc<Policy>,
        stop: &CancellationToken,
    ) -> Option<Result<Output, Failure>> {
        match self.put_off(&handed, stop).await? {
            Ok(false) => {}
            // Much may have changed in the meantime.
            Ok(true) => match self.admit(&mut handed, stop).await? {
                Ok((_, fresh)) => policy = fresh,
                Err(refusal) => return Some(Err(refusal)),
            },
            Err(failure) => return Some(Err(failure)),
        }
        // Once it has been asked for it is too late to call it off.
        self.reboot(self.begin(handed, policy, CancellationToken::new())).await
    }

    /// Waits as long as the payload says; says whether that was any time at all. `None` if the agent ends.
    async fn put_off(&self, handed: &HandedTask, stop: &CancellationToken) -> Option<Result<bool, Failure>> {
        let delay = match reboot_payload(&handed.payload).map_err(refuse) {
            Ok(payload) => Span::seconds(payload.delay_s.into()),
            Err(failure) => return Some(Err(failure)),
        };
        if delay == Span::ZERO {
            return Some(Ok(false));
        }
        tokio::select! {
            () = tokio::time::sleep(delay.to_std()) => Some(Ok(true)),
            () = stop.cancelled() => Some(Err(Failure::Cancelled)),
            () = self.abandon.cancelled() => None,
        }
    }

    /// Reboots the machine. `None` if the agent ends, as it does when the machine goes down.
    async fn reboot(&self, work: Work) -> Option<Result<Output, Failure>> {
        let run = RunKey { task: work.task, run: work.run };
        let (command, by_helper, boot) = match self.prepare_reboot(&work).await {
            Ok(prepared) => prepared,
            Err(failure) => return Some(Err(failure)),
        };
        let (at, within) = (self.clock.now(), work.policy.host_reboot.within);
        let begin = BeginReboot { run, boot: boot.clone(), at };
        self.insist("write down that the machine reboots", || self.ledger.begin_reboot(begin.clone())).await?;
        if self.abandon.is_cancelled() {
            return None;
        }
        tracing::warn!(task = %run.task, "the machine is asked to reboot");
        let stepped = tokio::select! {
            stepped = step(&work, &command, by_helper, &self.places) => stepped,
            () = self.abandon.cancelled() => return None,
        };
        match stepped {
            // The helper was there, and may have begun though its answer did not come.
            Err(Failure::Failed { code, message, .. }) if code.0 == Code::HELPER_UNAVAILABLE => {
                tracing::warn!("nobody can say whether the machine reboots: {message}");
            }
            Err(failure) => return Some(Err(failure)),
            // A program that says no has not rebooted anything. One that was ended may be among the first to
            // go when the machine does.
            Ok(stepped) if matches!(stepped.exit, Ok(Exit::Code(code)) if code != 0) => {
                return stepped.failure("the reboot").map(Err);
            }
            Ok(_) => {}
        }
        self.see_reboot(&Asked { boot, at, within }).await.map(Err)
    }

    /// What a reboot needs, and whether it can be had: nothing has happened when this says no.
    async fn prepare_reboot(&self, work: &Work) -> Result<(Command, bool, String), Failure> {
        let command = work.policy.privileged_command(HOST_REBOOT, &work.payload).map_err(refuse)?;
        let by_helper = is_for_helper(&command).await?;
        can_begin(&command, by_helper)?;
        if by_helper {
            self.places.helper.is_there().await?;
        }
        let unreadable = |error: std::io::Error| {
            Failure::failed(Code::HANDLER_FAILED, format!("the boot id cannot be read: {error}"), false)
        };
        Ok((command, by_helper, boot_of_machine().map_err(unreadable)?))
    }

    /// Waits for the machine to go down, and says that it has not. `None` if the agent ends first.
    async fn see_reboot(&self, asked: &Asked) -> Option<Failure> {
        while let Seen::Up(wait) = see(asked, &asked.boot, self.clock.now()) {
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                () = self.abandon.cancelled() => return None,
            }
        }
        let why = format!("the machine was asked to reboot, and is still up {} later", asked.within);
        Some(Failure::failed(Code::REBOOT_DID_NOT_HAPPEN, why, false))
    }

    /// Takes up a reboot that was asked for before this start.
    pub(crate) fn resume_reboot(self: &Arc<Self>, rebooting: Rebooting) {
        let Rebooting { handed, boot, asked_at } = rebooting;
        let within = self.policy.now().host_reboot.within;
        let asked = Asked { boot, at: asked_at, within };
        self.board.go_on(&handed);
        let runner = Arc::clone(self);
        self.runs.spawn(async move {
            let Some(given) = runner.how_it_went(&asked).await else { return };
            let run = RunKey { task: handed.id, run: handed.run };
            let (attempt, _) = runner.board.end(run);
            let (attempt, now) = (attempt.unwrap_or(handed.attempt), runner.clock.now());
            let log_bytes = runner.logs.length(run);
            let ending = Ending { run, attempt, began: asked_at.min(now), now, log_bytes };
            runner.settle(ended(ending, given, false)).await;
            runner.fill();
        });
    }

    async fn how_it_went(&self, asked: &Asked) -> Option<Result<Output, Failure>> {
        // If nobody can say which boot this is, it counts as the same: nothing is claimed that was not seen.
        let boot = boot_of_machine().unwrap_or_else(|_| asked.boot.clone());
        match see(asked, &boot, self.clock.now()) {
            Seen::Back(down) => {
                tracing::info!(down_ms = down.0, "the machine is back from the reboot that a task asked for");
                let (boot_before, boot_after) = (asked.boot.clone(), boot);
                Some(Output::of(&Rebooted { boot_before, boot_after, down_ms: down.0 }))
            }
            Seen::Up(_) | Seen::NotGone => self.see_reboot(asked).await.map(Err),
        }
    }
}
