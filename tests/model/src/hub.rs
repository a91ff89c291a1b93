//! What the hub does.

use sortie_rules::deliveries::{Ask, Heard, Line, hear};
use sortie_rules::tasks::{
    Code, EndedBy, Finished, Outcome, Refusal, Report, State, Task, cancel, claim, finish, lapse, requeue,
};
use sortie_rules::time::Millis;

use crate::plan::{Broken, Plan};
use crate::world::{Ending, LATE, Message, NOW, RESTED, TaskNo, World, boot_id};

impl World {
    /// A wait is heard: what was lost before it is handed out again, else what is pending, else it is held.
    pub(crate) fn hub_hears(&mut self, boot: u8, seq: u64, ack: u64) {
        let (delivered, acknowledged) = self.hub.line_on_disk;
        let known = self.hub.line.unwrap_or(Line { delivered, acknowledged, ..Line::default() });
        let heard = hear(known, Ask { boot: boot_id(boot), seq, ack });
        let (line, redeliver) = match heard {
            Heard::InOrder { line, redeliver, restored } => {
                self.seen.mistaken |= restored;
                (line, redeliver)
            }
            Heard::Late { line } => {
                self.hub.line = Some(line);
                return;
            }
            Heard::Forked => {
                self.seen.mistaken = true;
                return;
            }
        };
        self.hub.line = Some(line);
        let lost = self.hub.tasks.iter().enumerate().filter(|(_, task)| {
            redeliver && matches!(task.life.state, State::InProgress { .. }) && task.delivery > ack
        });
        let lost: Vec<_> = lost.map(|(no, task)| (no, task.life.run, task.life.attempt)).collect();
        self.hub.held = Some((boot, seq));
        if !lost.is_empty() {
            self.answer(line.delivered, lost);
        } else {
            self.hub_looks();
        }
    }

    /// Answers the held wait if something is pending, or to be stopped. `false` if there is nothing.
    pub(crate) fn hub_looks(&mut self) -> bool {
        let (Some(mut line), Some(_)) = (self.hub.line, self.hub.held) else { return false };
        let number = line.delivered + 1;
        let mut tasks = Vec::new();
        for (no, task) in self.hub.tasks.iter_mut().enumerate() {
            if let Ok(life) = claim(&task.life, RESTED) {
                tasks.push((no, life.run, life.attempt));
                (task.life, task.delivery) = (life, number);
            }
        }
        if !tasks.is_empty() {
            line.delivered = number;
            self.hub.line = Some(line);
            self.hub.line_on_disk = (number, line.acknowledged);
        }
        // Whoever wanted one of these stopped meant an earlier run, and that has ended.
        self.hub.cancels.retain(|no| !tasks.iter().any(|(handed, ..)| handed == no));
        let something = !tasks.is_empty() || !self.hub.cancels.is_empty();
        if something {
            self.answer(line.delivered, tasks);
        }
        something
    }

    fn answer(&mut self, number: u64, tasks: Vec<(TaskNo, u32, u32)>) {
        let Some((boot, seq)) = self.hub.held.take() else { return };
        let cancel = std::mem::take(&mut self.hub.cancels).into_iter().collect();
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
            self.hub.cancels.insert(no);
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

    /// The hub dies and is started again.
    pub(crate) fn hub_crashes(&mut self) {
        self.hub.line = None;
        self.hub.held = None;
        self.hub.cancels.clear();
    }
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
