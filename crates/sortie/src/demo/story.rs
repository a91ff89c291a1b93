//! The script: what is asked, who is killed and when, and what is counted at the end.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sortie_client::people::Hub;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use sortie_wire::events::EventQuery;
use tokio::task::JoinSet;

use super::fleet::{Fleet, make_folder, write};
use super::narrator::Narrator;
use super::places::{KILLED, PLACES};
use super::tally::{End, Seen, Tally, count};
use super::until::until;
use super::work::{Asked, Wish, journal, submit_all};
use crate::exit::{Done, Failure};

/// How long every task together may take to end, once everything runs again.
const ALL_END: Span = Span::minutes(3);
/// How long a state may take to come about.
const SOON: Span = Span::seconds(60);
/// Lines that are written before anything is killed, at each place.
const LINES_IN_PEACE: usize = 5;
/// Lines that the killed agent has before it, and how many it has written at least when it is killed.
const LINES_UNDER_FIRE: usize = 300;
const LINES_BEFORE_THE_KILL: usize = 20;
/// Lines that wait for it when it comes back.
const LINES_WHILE_AWAY: usize = 5;
/// Tasks that are being submitted when the hub is killed, and how many are acknowledged by then.
const LINES_ACROSS_THE_HUB: usize = 120;
const ACKNOWLEDGED_BEFORE_THE_KILL: usize = 9;

/// What is kept of the story for whoever wants figures.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outcome {
    /// How many nodes there were.
    pub(super) nodes: usize,
    /// What became of the tasks.
    #[serde(flatten)]
    pub(super) tally: Tally,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
    /// How often an agent and the hub were killed.
    pub(super) kills: usize,
    /// Submissions whose first sending the dead hub had not acknowledged, and which were sent again.
    pub(super) sent_again: usize,
    /// How long it took from the start of the program to the end of the first task, in seconds.
    pub(super) first_task_s: f64,
}

/// One telling.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) fleet: &'a mut Fleet,
    pub(super) narrator: Narrator,
    asked: Vec<Asked>,
    sent_again: usize,
    first_task_s: f64,
}

impl<'a> Story<'a> {
    /// A story about this fleet.
    pub(super) fn new(fleet: &'a mut Fleet, narrator: Narrator) -> Story<'a> {
        Story { fleet, narrator, asked: Vec::new(), sent_again: 0, first_task_s: 0.0 }
    }

    /// Tells it from beginning to end.
    pub(super) async fn tell(mut self) -> Result<Outcome, Failure> {
        let hub = self.come_to_life().await?;
        self.work_in_peace(&hub).await?;
        self.kill_an_agent(&hub).await?;
        self.kill_the_hub(&hub).await?;
        let tally = self.count_everything(&hub).await?;
        Ok(Outcome {
            nodes: PLACES.len(),
            tally,
            seconds: self.narrator.seconds(),
            kills: 2,
            sent_again: self.sent_again,
            first_task_s: self.first_task_s,
        })
    }

    async fn come_to_life(&mut self) -> Result<Hub, Failure> {
        let narrator = self.narrator;
        narrator.say("A hub starts, with an empty folder and a certificate authority of its own.")?;
        let hub = self.fleet.start_hub().await?;
        narrator.say(format!("It answers at {}.", narrator.strong(&self.fleet.hub_url())))?;
        for place in &PLACES {
            self.fleet.enroll(place, &hub).await?;
            self.fleet.start_agent(place.node)?;
            narrator.say(format!("{} enrols with a one-time invite: {}.", narrator.strong(place.node), place.what))?;
        }
        self.fleet.all_online(&hub).await?;
        narrator.say("All three have called the hub. Nobody called them: no agent listens anywhere.")?;
        Ok(hub)
    }

    async fn work_in_peace(&mut self, hub: &Hub) -> Done {
        let narrator = self.narrator;
        narrator.say("Work in peace: facts of each machine, checksums, a health check, lines in a journal.")?;
        let first = self.ask(Wish::sys_info(PLACES[0].node), hub).await?;
        self.result(&first, hub).await?;
        self.first_task_s = narrator.seconds();
        let mut told = Vec::new();
        for place in &PLACES {
            let (node, files) = (place.node, self.fleet.files(place.node).join("files"));
            let expected = make_files(&files, node)?;
            let info = self.ask(Wish::sys_info(node), hub).await?;
            let checksum = self.ask(Wish::checksum(node, "files", &files), hub).await?;
            let check = self.ask(Wish::http_check(node, &self.fleet.health_url()), hub).await?;
            for number in 1..=LINES_IN_PEACE {
                let wish = Wish::append(node, self.fleet, "in peace", number);
                self.ask(wish, hub).await?;
            }
            told.push((node, info, checksum, check, expected));
        }
        for (node, info, checksum, check, expected) in told {
            let info = self.result(&info, hub).await?;
            let (sum, check) = (self.result(&checksum, hub).await?, self.result(&check, hub).await?);
            if sum["sha256"] != expected {
                return Err(Failure::other(format!(
                    "{node} answered with the checksum {sum}, which is not {expected}"
                )));
            }
            narrator.aside(format!(
                "{node:<12} {} {}, {} processors; checksum of {} files right; health check: {} after {} ms",
                text(&info["os"]),
                text(&info["kernel"]).split('-').next().unwrap_or_default(),
                info["cpus"],
                sum["files"],
                check["status"],
                check["ms"],
            ))?;
        }
        let forbidden = self.ask(Wish::checksum(KILLED, "etc", Path::new("/etc")), hub).await?;
        let refused = self.ended(&forbidden, hub).await?;
        let code = refused.summary.code.map(|code| code.0).unwrap_or_default();
        narrator
            .say(format!("{KILLED} is asked to read /etc and refuses ({code}): the site's policy has the last word."))
    }

    async fn kill_an_agent(&mut self, hub: &Hub) -> Done {
        let narrator = self.narrator;
        let slow = self.ask(Wish::sleep(KILLED, 1000, "under fire"), hub).await?;
        let lines_wished = (1..=LINES_UNDER_FIRE).map(|number| Wish::append(KILLED, self.fleet, "under fire", number));
        let asked = submit_all("demo-under-fire", lines_wished.collect(), hub).await?;
        self.asked.extend(asked);
        until("the agent is in mid-task", SOON, async || {
            let task = hub.task(slow.id, None).await?;
            let written = under_fire(self.fleet);
            Ok((task.summary.status == Status::InProgress && written >= LINES_BEFORE_THE_KILL).then_some(()))
        })
        .await?;
        self.fleet.kill_agent(KILLED).await?;
        let written = under_fire(self.fleet);
        narrator.say(format!(
            "{} {KILLED}'s agent is killed (SIGKILL) in mid-task: {written} of {LINES_UNDER_FIRE} lines are written.",
            narrator.strong("Power cut.")
        ))?;
        for number in 1..=LINES_WHILE_AWAY {
            let wish = Wish::append(KILLED, self.fleet, "while away", number);
            self.ask(wish, hub).await?;
        }
        narrator.aside(format!("{LINES_WHILE_AWAY} more tasks are submitted for it; they wait at the hub."))?;
        self.fleet.start_agent(KILLED)?;
        self.result(&slow, hub).await?;
        narrator.say("It is started again, reads its ledger, and goes on where it was.")
    }

    async fn kill_the_hub(&mut self, hub: &Hub) -> Done {
        let narrator = self.narrator;
        for place in &PLACES {
            self.ask(Wish::sleep(place.node, 700, "across the hub"), hub).await?;
        }
        // The submissions go on while the hub dies: those that it has not acknowledged are sent
        // again under the same key, by the same code that every client uses.
        let (acknowledged, mut heard) = tokio::sync::mpsc::channel(LINES_ACROSS_THE_HUB);
        let mut submissions = JoinSet::new();
        for number in 0..LINES_ACROSS_THE_HUB {
            let wish = Wish::append(PLACES[number % PLACES.len()].node, self.fleet, "across", number);
            let (hub, acknowledged) = (hub.clone(), acknowledged.clone());
            submissions.spawn(async move {
                let asked = wish.submit(&hub).await;
                // Nobody listens any more once the hub is dead.
                let _unheard = acknowledged.try_send(());
                asked
            });
        }
        for _ in 0..ACKNOWLEDGED_BEFORE_THE_KILL {
            heard.recv().await;
        }
        self.fleet.kill_hub().await?;
        let mut before = ACKNOWLEDGED_BEFORE_THE_KILL;
        while heard.try_recv().is_ok() {
            before += 1;
        }
        self.sent_again = LINES_ACROSS_THE_HUB - before;
        narrator.say(format!(
            "{} The hub is killed while {LINES_ACROSS_THE_HUB} tasks are being submitted; {before} are acknowledged.",
            narrator.strong("Power cut.")
        ))?;
        narrator.aside(format!(
            "The other {} are sent again until they are. The agents go on with what they have.",
            self.sent_again
        ))?;
        self.fleet.start_hub().await?;
        narrator.say("The hub is started again, on the same folder.")?;
        while let Some(asked) = submissions.join_next().await {
            self.asked.push(asked.map_err(|error| Failure::other(format!("a submission broke: {error}")))??);
        }
        narrator.say("Every task is acknowledged.")
    }

    async fn count_everything(&mut self, hub: &Hub) -> Result<Tally, Failure> {
        let narrator = self.narrator;
        let mut seen = Vec::new();
        let began = sortie_client::Steady::now();
        for asked in &self.asked {
            seen.push(watch(asked, hub, began).await?);
        }
        self.fleet.check()?;
        let lines: Vec<String> = PLACES.iter().flat_map(|place| lines(self.fleet, place.node)).collect();
        let tally = count(&seen, &lines, &ends(hub).await?);
        narrator.say(format!("All {} tasks have ended. Now everything is counted.", tally.tasks))?;
        Ok(tally)
    }

    async fn ask(&mut self, wish: Wish, hub: &Hub) -> Result<Asked, Failure> {
        let asked = wish.submit(hub).await?;
        self.asked.push(asked.clone());
        Ok(asked)
    }

    /// A task at its end.
    async fn ended(&mut self, asked: &Asked, hub: &Hub) -> Result<sortie_wire::tasks::Task, Failure> {
        until("a task ends", SOON, async || {
            self.fleet.check()?;
            let task = hub.task(asked.id, Some(1)).await?;
            Ok(task.summary.status.is_terminal().then_some(task))
        })
        .await
    }

    /// The result of a task that must complete.
    async fn result(&mut self, asked: &Asked, hub: &Hub) -> Result<Value, Failure> {
        let task = self.ended(asked, hub).await?;
        let summary = &task.summary;
        task.result.ok_or_else(|| {
            let why = summary.message.clone().unwrap_or_default();
            Failure::other(format!(
                "{} at {} ended {}: {why}",
                summary.type_name,
                summary.node_name,
                summary.status.as_str()
            ))
        })
    }
}

/// What the hub says of a task, once it has ended or the time for that is over.
async fn watch(asked: &Asked, hub: &Hub, began: sortie_client::Steady) -> Result<Seen, Failure> {
    let seen = |status, code| Seen { id: asked.id, status, code, line: asked.line.clone() };
    loop {
        let task = match hub.task(asked.id, Some(2)).await {
            Ok(task) => task,
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => return Ok(seen(None, None)),
            Err(error) => return Err(error.into()),
        };
        if task.summary.status.is_terminal() || began.elapsed() > ALL_END {
            return Ok(seen(Some(task.summary.status), task.summary.code));
        }
    }
}

/// Every end of a run that the hub wrote down.
async fn ends(hub: &Hub) -> Result<Vec<End>, Failure> {
    let (mut ends, mut after) = (Vec::new(), 0);
    loop {
        let query = EventQuery {
            after: Some(after),
            kind: Some("task".to_owned()),
            limit: Some(1000),
            ..EventQuery::default()
        };
        let page = hub.events(&query).await?;
        if page.items.is_empty() {
            return Ok(ends);
        }
        for event in &page.items {
            after = after.max(event.number);
            let ended = event.kind.strip_prefix("task.").and_then(Status::parse).is_some_and(Status::is_terminal);
            if let (true, Some(task)) = (ended, event.task) {
                ends.push(End { task, run: event.data["run"].as_u64().unwrap_or(0) });
            }
        }
    }
}

/// How many lines the killed agent has written of those that it has before it.
fn under_fire(fleet: &Fleet) -> usize {
    lines(fleet, KILLED).iter().filter(|line| line.starts_with("under fire")).count()
}

/// The lines of a place's journal.
fn lines(fleet: &Fleet, node: &str) -> Vec<String> {
    let text = std::fs::read_to_string(journal(fleet, node)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Makes a few files, and says what file.checksum should find: the SHA-256 over what `sha256sum`
/// prints for them, in order.
fn make_files(folder: &Path, node: &str) -> Result<Value, Failure> {
    make_folder(folder)?;
    let mut listing = String::new();
    for number in 1..=3_usize {
        let name = format!("scan-{number}.bin");
        let bytes: Vec<u8> = node.bytes().cycle().take(number << 20).collect();
        write(&folder.join(&name), &bytes)?;
        listing += &format!("{}  {name}\n", sortie_client::tls::fingerprint(&bytes));
    }
    Ok(Value::String(sortie_client::tls::fingerprint(listing.as_bytes())))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
