//! The site's own programs that make reports, each as often as the policy says.

use std::collections::BTreeMap;
use std::sync::Arc;

use sortie_rules::backoff::jittered;
use sortie_rules::exits::Exit;
use sortie_rules::reports::{Made, read_reports};
use sortie_rules::time::{Millis, Span};
use sortie_wire::reports::SendReport;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::all::Reports;
use super::outbox::Outbox;
use super::tell::Telling;
use crate::clock::Steady;
use crate::handlers::command::{Places, Question, ask};
use crate::policy::ReportProgram;

/// When a program was begun last, and after which time it is to run again.
#[derive(Debug)]
struct Begun {
    at: Steady,
    again_after: Span,
    is_running: bool,
}

/// One run of a program.
struct Run {
    name: String,
    program: ReportProgram,
    places: Places,
    outbox: Arc<Outbox>,
    telling: Arc<Telling>,
    taken_at: Millis,
    stop: CancellationToken,
}

impl Reports {
    /// Runs them for ever.
    pub(super) async fn run_programs(&self) {
        let mut policy = self.runner.policy.changes();
        let mut begun: BTreeMap<String, Begun> = BTreeMap::new();
        let mut running = JoinSet::new();
        loop {
            policy.borrow_and_update();
            let programs = &self.runner.policy.now().reports.programs;
            begun.retain(|name, one| one.is_running || programs.contains_key(name));
            let mut next: Option<Span> = None;
            for (name, program) in programs {
                let left = begun.get(name).map_or(Some(Span::ZERO), Begun::left);
                let Some(left) = left else { continue };
                if left > Span::ZERO {
                    next = Some(next.map_or(left, |next| next.min(left)));
                    continue;
                }
                let again_after = jittered(program.every, self.runner.entropy.draw());
                begun.insert(name.clone(), Begun { at: Steady::now(), again_after, is_running: true });
                let run = Run {
                    name: name.clone(),
                    program: program.clone(),
                    places: self.runner.places.clone(),
                    outbox: Arc::clone(&self.outbox),
                    telling: Arc::clone(&self.telling),
                    taken_at: self.runner.clock.now(),
                    stop: self.stop.clone(),
                };
                running.spawn(run.carry());
                next = Some(next.map_or(again_after, |next| next.min(again_after)));
            }
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep(next.to_std()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                Some(ended) = running.join_next() => {
                    match ended {
                        Ok(name) => begun.entry(name).and_modify(|one| one.is_running = false),
                        Err(error) => {
                            tracing::error!(%error, "a run of a program that makes reports has failed");
                            continue;
                        }
                    };
                }
                // The sender lives as long as this.
                _ = policy.changed() => {}
            }
        }
    }
}

impl Begun {
    /// How long it has time; `None` while it runs.
    fn left(&self) -> Option<Span> {
        let elapsed = self.at.elapsed();
        (!self.is_running).then(|| Span((self.again_after.0 - elapsed.0).max(0)))
    }
}

impl Run {
    /// Runs it to its end. What cannot be used is told in the log, and not sent.
    async fn carry(self) -> String {
        let name = format!("report.{}", self.name);
        let question = Question {
            command: &self.program.command,
            variables: vec![("SORTIE_REPORT", self.name.clone())],
            input: Vec::new(),
            name: &name,
            lasts: false,
            places: &self.places,
            stop: &self.stop,
        };
        let made = match ask(question, || ()).await {
            Ok(answered) if answered.cut.is_none() && answered.exit == Exit::Code(0) => {
                read_reports(&answered.output).map_err(|error| error.to_string())
            }
            Ok(answered) => Err(answered.in_words()),
            Err(why) => Err(why),
        };
        match made {
            Ok(made) => {
                for one in made {
                    if self.program.events {
                        self.telling.note(&self.program.kind, &one, self.taken_at).await;
                    }
                    self.put(one);
                }
            }
            Err(why) => tracing::warn!(report = self.name, "what a program reports is not sent: {why}"),
        }
        self.name
    }

    fn put(&self, made: Made) {
        let Made { subject, facts } = made;
        let (kind, source) = (self.program.kind.clone(), self.name.clone());
        self.outbox.put(SendReport { kind, subject, taken_at: self.taken_at, source, facts });
    }
}
