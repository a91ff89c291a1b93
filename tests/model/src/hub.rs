//! What the hub does.

use sortie_rules::arrivals::{Kept, arrive, follows, learn};
use sortie_rules::deliveries::{Ask, Heard, Line, hear};
use sortie_rules::tasks::{
    Code, EndedBy, Finished, Outcome, Refusal, Report, State, Task, cancel, claim, finish, lapse, requeue,
};
use sortie_rules::time::Millis;

use crate::plan::{Broken, Plan};
use crate::world::{Ending, LATE, Memory, Message, NOW, RESTED, TaskNo, World, boot_id};

impl World {
    /// A wait is heard at one of the hubs: what was lost before it is handed out again, else what is pending, else it
    /// is held.
    pub(crate) fn hub_hears(&mut self, plan: &Plan, at: usize, (boot, seq, ack): (u8, u64, u64)) {
        let (kept, memory, alone) = (self.hub.kept, self.hub.memories[at].line, reads_once(plan));
        let ask = Ask { boot: boot_id(boot), seq, ack };
        let known = memory.filter(|line| alone || follows(*line, ask));
        let line = known.unwrap_or_else(|| learn(memory, kept, alone));
        let (after, redeliver) = match hear(line, ask) {
            Heard::InOrder { line, redeliver, restored } => {
                self.seen.mistaken |= restored;
                (line, redeliver)
            }
            Heard::Late { line } => {
                self.hub.memories[at].line = Some(line);
                return;
            }
            Heard::Forked => {
                self.seen.mistaken = true;
                return;
            }
        };
        let arrived = arrive(after, kept).filter(|_| known.is_none() && !alone);
        if let Some(Line { arrivals, boot, acknowledged, delivered, .. }) = arrived {
            self.hub.kept = Kept { arrivals, boot, acknowledged, delivered };
            if !line.is_here && plan.broken != Broken::WishesKept {
                // What was to be stopped when the agent was here last may have ended, and been begun again.
                let tasks = &self.hub.tasks;
                self.hub.memories[at].cancels.retain(|no| is_to_be_stopped(&tasks[*no].life));
            }
        }
        let line = arrived.unwrap_or(after);
        let memory = &mut self.hub.memories[at];
        (memory.line, memory.held) = (Some(line), Some((boot, seq)));
        let lost = self.hub.tasks.iter().enumerate().filter(|(_, task)| {
            redeliver && matches!(task.life.state, State::InProgress { .. }) && task.delivery > ack
        });
        let lost: Vec<_> = lost.map(|(no, task)| (no, task.life.run, task.life.attempt)).collect();
        if !lost.is_empty() {
            if plan.broken != Broken::WishesKept {
                // They may have been handed out by another hub, which knew nothing of the wish, or after it.
                let tasks = &self.hub.tasks;
                let is_lost = |no: &TaskNo| lost.iter().any(|(lost, ..)| lost == no);
                let cancels = &mut self.hub.memories[at].cancels;
                cancels.retain(|no| !is_lost(no) || is_to_be_stopped(&tasks[*no].life));
            }
            self.answer(at, line.delivered, lost);
        } else {
            self.hub_looks(plan, at);
        }
    }

    /// Answers the held wait if something is pending, or to be stopped. `false` if there is nothing, or the line has
    /// gone to another hub.
    pub(crate) fn hub_looks(&mut self, plan: &Plan, at: usize) -> bool {
        let Memory { line: Some(mut line), held: Some(_), .. } = self.hub.memories[at] else { return false };
        let number = line.delivered + 1;
        let mut tasks = Vec::new();
        for (no, task) in self.hub.tasks.iter().enumerate() {
            if let Ok(life) = claim(&task.life, RESTED) {
                tasks.push((no, life));
            }
        }
        if !tasks.is_empty() {
            let has_it = line.arrivals == self.hub.kept.arrivals && number > self.hub.kept.delivered;
            if !has_it && !reads_once(plan) {
                let memory = &mut self.hub.memories[at];
                (memory.line, memory.held) = (Some(Line { is_here: false, ..line }), None);
                return false;
            }
            line.delivered = number;
            self.hub.memories[at].line = Some(line);
            (self.hub.kept.delivered, self.hub.kept.acknowledged) = (number, line.acknowledged);
        }
        let handed: Vec<_> = tasks.iter().map(|(no, life)| (*no, life.run, life.attempt)).collect();
        for (no, life) in tasks {
            let task = &mut self.hub.tasks[no];
            (task.life, task.delivery) = (life, number);
        }
        // Whoever wanted one of these stopped meant an earlier run, and that has ended.
        let memory = &mut self.hub.memories[at];
        memory.cancels.retain(|no| !handed.iter().any(|(handed, ..)| handed == no));
        let something = !handed.is_empty() || !memory.cancels.is_empty();
        if something {
            self.answer(at, line.delivered, handed);
        }
        something
    }

    fn answer(&mut self, at: usize, number: u64, tasks: Vec<(TaskNo, u32, u32)>) {
        let memory = &mut self.hub.memories[at];
        let Some((boot, seq)) = memory.held.take() else { return };
        let cancel = std::mem::take(&mut memory.cancels).into_iter().collect();
        self.net.insert(Message::Delivery { boot, seq, number, tasks, cancel });
    }

    /// A result comes in.
    pub(crate) fn hub_takes_result(&mut self, plan: &Plan, run: (TaskNo, u32), attempt: u32, ending: Ending) {
        let task = &mut self.hub.tasks[run.0];
        let before = task.life.clone();
        let read = if plan.broken == Broken::RunUnread { before.run } else { run.1 };
        let report = Report {
            run: read,
            attempt,
            outcome: outcome(ending),
            is_recorded: task.recorded == Some((run.1, ending)),
        };
        match finish(&before, &report, NOW, 0) {
            Ok(Finished::Changed(after)) => {
                self.seen.second_end |= ended_by_agent(&before);
                self.seen.late_result |= before.state.status().is_terminal();
                if after.state.status().is_terminal() {
                    let task = &mut self.hub.tasks[run.0];
                    // A completed run stands whichever it was; a closed one must not close another.
                    self.seen.older_run_won |= ending != Ending::Completed && run.1 < before.run;
                    task.recorded = Some((run.1, ending));
                }
                self.hub.tasks[run.0].life = rested(after);
            }
            Ok(Finished::Repeated) | Err(Refusal::OtherResult) => {}
            Err(other) => unreachable!("a result is not refused with {other}"),
        }
        self.net.insert(Message::Receipt { run });
    }

    /// A lease ends, if there is one.
    pub(crate) fn lapses(&mut self, no: TaskNo) -> bool {
        let Ok(after) = lapse(&self.hub.tasks[no].life, LATE, Millis(0)) else { return false };
        self.hub.tasks[no].life = after;
        true
    }

    /// Somebody wants a task stopped.
    pub(crate) fn cancels(&mut self, no: TaskNo) -> bool {
        let life = &self.hub.tasks[no].life;
        let Ok(after) = cancel(life) else { return false };
        if matches!(after.state, State::InProgress { .. }) {
            self.seen.cancel_asked.insert((no, after.run));
            // Asked at the first; the bell rings where a wait is held.
            for (at, memory) in self.hub.memories.iter_mut().enumerate() {
                if at == 0 || memory.held.is_some() {
                    memory.cancels.insert(no);
                }
            }
        }
        self.hub.tasks[no].life = after;
        true
    }

    /// Somebody wants an ended task done after all.
    pub(crate) fn requeues(&mut self, no: TaskNo) -> bool {
        let Ok(after) = requeue(&self.hub.tasks[no].life) else { return false };
        self.hub.tasks[no].life = after;
        true
    }

    /// A heartbeat is heard.
    pub(crate) fn hub_hears_beat(&mut self, beat: u8, held: &[(TaskNo, u32)]) {
        let (mut not_held, mut stop) = (Vec::new(), Vec::new());
        for (no, attempt) in held {
            let life = &self.hub.tasks[*no].life;
            match sortie_rules::tasks::renew(life, *attempt, RESTED) {
                Ok(Task { state: State::InProgress { cancel_asked: true, .. }, .. }) => stop.push(*no),
                Ok(_) => {}
                Err(_) => not_held.push((*no, *attempt)),
            }
        }
        self.net.insert(Message::Pulse { beat, not_held, cancel: stop });
    }

    /// A hub dies and is started again.
    pub(crate) fn hub_crashes(&mut self, at: usize) {
        self.hub.memories[at] = Memory::default();
    }
}

/// Whether what is in memory counts for good: of a hub that is alone, it does.
fn reads_once(plan: &Plan) -> bool {
    plan.hubs == 1 || plan.broken == Broken::LineUnread
}

/// Whether somebody wants this very run stopped.
fn is_to_be_stopped(life: &Task) -> bool {
    matches!(life.state, State::InProgress { cancel_asked: true, .. })
}

/// Whether an end stands that is the agent's word.
fn ended_by_agent(life: &Task) -> bool {
    match &life.state {
        State::Completed | State::Rejected { .. } => true,
        State::Failed { by, .. } | State::Cancelled { by } => *by == EndedBy::Agent,
        State::Pending { .. } | State::InProgress { .. } | State::Expired => false,
    }
}

/// The wait before a retry is over.
fn rested(task: Task) -> Task {
    match task.state {
        State::Pending { .. } => Task { state: State::Pending { not_before: None }, ..task },
        _ => task,
    }
}

fn outcome(ending: Ending) -> Outcome {
    match ending {
        Ending::Completed => Outcome::Completed,
        Ending::Failed => Outcome::Failed { code: Code::new(Code::HANDLER_FAILED), retry: true },
        Ending::Interrupted => Outcome::Interrupted,
        Ending::Cancelled => Outcome::Cancelled,
    }
}
