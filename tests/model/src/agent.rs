//! What the agent does.

use sortie_rules::ledger::{
    Known, Receive, Recover, Stage, is_new, is_other_work, receive, recover, start_is_written_first,
};
use sortie_rules::time::Span;
use sortie_rules::verification::{Asked, Head, Wait, in_time, is_answer};

use crate::plan::{Broken, Plan};
use crate::world::{Ending, Message, NOW, Row, Run, TaskNo, World, boot_id, node_id};

impl World {
    /// The agent waits.
    pub(crate) fn agent_waits(&mut self) {
        let agent = &mut self.agent;
        agent.seq += 1;
        agent.open = Some((agent.seq, agent.acknowledged));
        self.net.insert(Message::Wait { boot: agent.boot, seq: agent.seq, ack: agent.acknowledged });
    }

    /// Something comes as the answer to the open wait.
    pub(crate) fn agent_takes(
        &mut self,
        plan: &Plan,
        (boot, seq, number): (u8, u64, u64),
        tasks: &[(TaskNo, u32, u32)],
        cancel: &[TaskNo],
    ) {
        let Some((asked_seq, ack)) = self.agent.open.take() else { return };
        let wait = Wait { boot: boot_id(self.agent.boot), seq: asked_seq };
        let (answers, ack) =
            if plan.broken == Broken::AnswersUnread { (wait, 0) } else { (Wait { boot: boot_id(boot), seq }, ack) };
        let expires_at = NOW + Span::minutes(10);
        let head = Head { node: node_id(), answers, number, issued_at: NOW, expires_at };
        let good = is_answer(&head, &Asked { node: node_id(), wait, ack }).and_then(|()| in_time(&head, NOW));
        if good.is_err() {
            self.seen.refused = true;
            return;
        }
        if plan.broken == Broken::AcknowledgedUnwritten {
            self.agent.acknowledged = self.agent.acknowledged.max(number);
            self.agent.unwritten = Some((number, tasks.to_vec()));
        } else {
            let new = is_new(number, self.agent.acknowledged_on_disk);
            if !self.accept(plan, new, number, tasks) {
                self.seen.refused = true;
                return;
            }
            self.agent.acknowledged = self.agent.acknowledged.max(number);
        }
        for no in cancel {
            self.agent_stops(*no);
        }
    }

    /// Writes a delivery down; `false` if it is refused. One transaction.
    pub(crate) fn accept(&mut self, plan: &Plan, new: bool, number: u64, tasks: &[(TaskNo, u32, u32)]) -> bool {
        let means: Vec<Receive> = tasks.iter().map(|(no, run, _)| receive(self.newest(*no), *run)).collect();
        if is_other_work(new, means.iter().copied()) {
            return false;
        }
        for ((no, run, attempt), means) in tasks.iter().zip(means) {
            let key = (*no, *run);
            match means {
                Receive::Accept => {
                    // Work that begins at once and may not be repeated has its start written with it.
                    let begins = self.agent.running.is_empty()
                        && start_is_written_first(plan.idempotent[*no])
                        && plan.broken != Broken::StartUnwritten;
                    let stage = if begins { Stage::Started } else { Stage::Accepted };
                    self.agent.runs.insert(key, Row { stage, attempt: *attempt, ending: None });
                    if begins {
                        self.agent.running.insert(key, false);
                    }
                }
                Receive::AlreadyHeld | Receive::AnswerAgain => {
                    self.seen.answered_again |= means == Receive::AnswerAgain;
                    if let Some(row) = self.agent.runs.get_mut(&key) {
                        row.attempt = row.attempt.max(*attempt);
                        if row.stage == Stage::Reported {
                            row.stage = Stage::Done;
                        }
                    }
                }
                Receive::Outdated => {}
            }
        }
        self.agent.acknowledged_on_disk = self.agent.acknowledged_on_disk.max(number);
        true
    }

    fn newest(&self, no: TaskNo) -> Option<Known> {
        let (key, row) = self.agent.runs.range((no, 0)..=(no, u32::MAX)).next_back()?;
        Some(Known { run: key.1, stage: row.stage })
    }

    /// The hub says that somebody wants a task stopped.
    fn agent_stops(&mut self, no: TaskNo) {
        let Some(known) = self.newest(no) else { return };
        let key = (no, known.run);
        if !matches!(known.stage, Stage::Accepted | Stage::Started) {
            return;
        }
        let wanted = self.seen.cancel_asked.iter().any(|(task, run)| *task == no && *run >= known.run);
        self.seen.stopped_unasked |= !wanted;
        self.agent_ends(key, Ending::Cancelled);
    }

    /// A run begins.
    pub(crate) fn agent_begins(&mut self, plan: &Plan, key: Run) {
        if start_is_written_first(plan.idempotent[key.0])
            && plan.broken != Broken::StartUnwritten
            && let Some(row) = self.agent.runs.get_mut(&key)
        {
            row.stage = Stage::Started;
        }
        self.agent.running.insert(key, false);
    }

    /// A run has its effect.
    pub(crate) fn agent_works(&mut self, key: Run, plan: &Plan) {
        self.agent.running.insert(key, true);
        if plan.idempotent[key.0] {
            return;
        }
        let effects = self.seen.effects.entry(key).or_default();
        *effects = 2.min(*effects + 1);
    }

    /// A run ends: its result is on disk.
    pub(crate) fn agent_ends(&mut self, key: Run, ending: Ending) {
        self.agent.running.remove(&key);
        if let Some(row) = self.agent.runs.get_mut(&key) {
            (row.stage, row.ending) = (Stage::Done, Some(ending));
        }
    }

    /// A result goes out.
    pub(crate) fn agent_reports(&mut self, key: Run) {
        let Some(Row { attempt, ending: Some(ending), .. }) = self.agent.runs.get(&key).cloned() else { return };
        self.net.insert(Message::Result { run: key, attempt, ending });
    }

    /// A receipt comes.
    pub(crate) fn agent_takes_receipt(&mut self, key: Run) {
        if let Some(row) = self.agent.runs.get_mut(&key).filter(|row| row.stage == Stage::Done) {
            row.stage = Stage::Reported;
        }
    }

    /// What a heartbeat says is held.
    pub(crate) fn agent_holds(&self) -> Vec<(TaskNo, u32)> {
        let held = self.agent.runs.iter().filter(|(_, row)| matches!(row.stage, Stage::Accepted | Stage::Started));
        held.map(|(key, row)| (key.0, row.attempt)).collect()
    }

    /// The answer to a heartbeat comes: what waits and is not held is forgotten, what is to stop stops.
    pub(crate) fn agent_takes_pulse(&mut self, not_held: &[(TaskNo, u32)], cancel: &[TaskNo]) {
        self.agent.beat = None;
        for no in cancel {
            self.agent_stops(*no);
        }
        for (no, attempt) in not_held {
            let running = &self.agent.running;
            self.agent.runs.retain(|key, row| {
                let waits = row.stage == Stage::Accepted && !running.contains_key(key);
                !(key.0 == *no && row.attempt == *attempt && waits)
            });
        }
    }

    /// The agent dies and is started again.
    pub(crate) fn agent_crashes(&mut self, plan: &Plan) {
        let agent = &mut self.agent;
        agent.boot += 1;
        agent.seq = 0;
        agent.acknowledged = agent.acknowledged_on_disk;
        agent.open = None;
        agent.running.clear();
        agent.beat = None;
        agent.unwritten = None;
        for (key, row) in &mut agent.runs {
            match recover(row.stage, plan.idempotent[key.0]) {
                Recover::Run if plan.broken == Broken::RecoveryForgotten => row.stage = Stage::Reported,
                Recover::Run => row.stage = Stage::Accepted,
                Recover::Interrupted => (row.stage, row.ending) = (Stage::Done, Some(Ending::Interrupted)),
                Recover::Report | Recover::Nothing => {}
            }
        }
    }
}
