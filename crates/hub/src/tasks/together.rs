//! Writes submissions down. Those that come at the same moment share a transaction on PostgreSQL, where one
//! statement for many tasks costs the server a fraction of one for each; on SQLite the writer lets all writes share
//! their commits.
//!
//! Nobody waits for company: what has come while the last transactions were under way goes into the next. Each gets its
//! own outcome, and one that cannot be written does not spoil its neighbours.

use std::sync::{Arc, OnceLock};

use sortie_rules::limits::DATABASE_CONNECTION_WAIT;
use sortie_rules::time::{Millis, Span};
use sortie_store::audit::NewEntry;
use sortie_store::idempotency::{self, Remembered};
use sortie_store::nodes::Numbered;
use sortie_store::tasks::{self, TaskRow};
use sortie_store::{Store, StoreError, Tx, audit, nodes};
use sortie_wire::tasks::Submitted;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::submit::come_in;
use crate::clock::Steady;
use crate::events::record_all;
use crate::fault::Fault;
use crate::http::Once;

/// Most submissions in one transaction, and most bytes of payloads in one of several.
const TOGETHER_MAX: usize = 256;
const TOGETHER_BYTES_MAX: usize = 4 << 20;
/// Most submissions that wait; callers beyond that wait for room.
const QUEUE_MAX: usize = 4096;
/// Longest wait for room and for a turn, each: where the database takes no more, a caller is told so.
const QUEUED_MAX: Span = DATABASE_CONNECTION_WAIT;
/// Transactions under way at once: while one is on its way to disk, the next is filled.
const LANES: usize = 2;

/// What somebody submits in one request.
#[derive(Debug, Clone)]
pub(super) struct Submission {
    pub(super) rows: Vec<TaskRow>,
    /// What the audit log says of it.
    pub(super) entry: NewEntry,
    pub(super) once: Once,
    /// The deliveries of nodes to which some of it is handed at once.
    pub(super) numbers: Vec<Numbered>,
    pub(super) now: Millis,
}

/// What was written, or what a repeated request was answered with before.
pub(super) enum Written {
    Now(Vec<TaskRow>),
    Before(String),
    /// Nothing: the line of a node to which some of it was to be handed has gone to another hub.
    Elsewhere(Box<Submission>),
}

struct Waiting {
    submission: Submission,
    since: Steady,
    reply: oneshot::Sender<Result<Written, Fault>>,
}

/// Where submissions meet.
#[derive(Debug, Default)]
pub(crate) struct Together {
    queue: OnceLock<mpsc::Sender<Waiting>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

/// What a submission is answered with.
pub(super) fn answer_to(rows: &[TaskRow]) -> Vec<Submitted> {
    rows.iter().map(|row| Submitted { id: row.id, node: row.node, status: row.life.state.status() }).collect()
}

impl Together {
    /// Writes a submission down. It is durable when this returns.
    pub(super) async fn write(&self, store: &Store, submission: Submission) -> Result<Written, Fault> {
        if store.engine() != "postgres" {
            return write_alone(store, submission).await;
        }
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.get_or_init(|| open(store));
        let waiting = Waiting { submission, since: Steady::now(), reply };
        queue.send_timeout(waiting, QUEUED_MAX.to_std()).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => too_busy(),
            SendTimeoutError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.unwrap_or_else(|_| Err(Fault::Broken("a submission was not answered".to_owned())))
    }
}

/// Starts the lanes. They end when nobody can submit any more.
fn open(store: &Store) -> mpsc::Sender<Waiting> {
    let (queue, waiting) = mpsc::channel(QUEUE_MAX);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..LANES {
        let (store, waiting) = (store.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            loop {
                let mut taken = Vec::new();
                if waiting.lock().await.recv_many(&mut taken, TOGETHER_MAX).await == 0 {
                    return;
                }
                for group in groups(taken) {
                    write_group(&store, in_time(group)).await;
                }
            }
        });
    }
    queue
}

fn too_busy() -> StoreError {
    StoreError::Unavailable { why: "too many submissions wait for it".to_owned() }
}

/// Those that have not waited too long; the others are told so, and nothing of them is kept.
fn in_time(group: Vec<Waiting>) -> Vec<Waiting> {
    let (late, in_time): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|waiting| waiting.since.elapsed() > QUEUED_MAX + QUEUED_MAX);
    for waiting in late {
        drop(waiting.reply.send(Err(too_busy().into())));
    }
    in_time
}

/// Cuts what has come into pieces that one transaction can carry.
fn groups(taken: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let (mut groups, mut bytes) = (Vec::new(), 0);
    for waiting in taken {
        let more: usize = waiting.submission.rows.iter().map(|row| row.payload.len()).sum();
        bytes += more;
        if groups.is_empty() || bytes > TOGETHER_BYTES_MAX {
            groups.push(Vec::new());
            bytes = more;
        }
        groups.last_mut().expect("one was added above").push(waiting);
    }
    groups
}

async fn write_group(store: &Store, group: Vec<Waiting>) {
    let (submissions, replies): (Vec<Submission>, Vec<_>) =
        group.into_iter().map(|waiting| (waiting.submission, waiting.reply)).unzip();
    let written = match &submissions[..] {
        [] => return,
        [_] => Ok(vec![false]),
        _ => write_together(store, &submissions).await,
    };
    for (at, (submission, reply)) in submissions.into_iter().zip(replies).enumerate() {
        let answer = match &written {
            Ok(kept) if kept[at] => Ok(Written::Now(submission.rows)),
            // What is wrong with the database is wrong for everybody, and what may have been kept is not tried again.
            Err(Fault::Store(
                error @ (StoreError::Unavailable { .. }
                | StoreError::Unknown { .. }
                | StoreError::Full { .. }
                | StoreError::Closed),
            )) => Err(error.clone().into()),
            // It met another one's key, or something in the group cannot be written: then each is looked at by itself.
            Ok(_) | Err(_) => write_alone(store, submission).await,
        };
        // The caller may have gone; what it asked for was done all the same.
        drop(reply.send(answer));
    }
}

/// Writes all in one transaction. Says of each whether it was kept; one whose key was used before is not.
async fn write_together(store: &Store, submissions: &[Submission]) -> Result<Vec<bool>, Fault> {
    let submissions: Arc<[Submission]> = submissions.into();
    store.write_checked(move |tx| Box::pin(async move { write_all(tx, &submissions).await })).await
}

async fn write_all(tx: &mut Tx, submissions: &[Submission]) -> Result<Vec<bool>, Fault> {
    let answers: Vec<String> = submissions.iter().map(Submission::answer).collect();
    let keyed: Vec<Remembered<'_>> = submissions
        .iter()
        .zip(&answers)
        .filter_map(|(submission, answer)| submission.once.remembered(answer, submission.now))
        .collect();
    let mut remembered = idempotency::remember_all(tx, &keyed).await?.into_iter();
    let is_kept = |submission: &Submission| !submission.once.is_keyed() || remembered.next().unwrap_or(false);
    let kept: Vec<bool> = submissions.iter().map(is_kept).collect();
    let those = || submissions.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(submission, _)| submission);
    // In one order with whoever else writes many of these rows at once.
    let mut numbers: Vec<Numbered> = those().flat_map(|submission| submission.numbers.iter().copied()).collect();
    numbers.sort_by_key(|next| next.node);
    if !has_lines(tx, &numbers).await? {
        // It ends with nothing kept, and each is looked at by itself.
        return Err(Fault::Broken("a line has gone to another hub".to_owned()));
    }
    tasks::insert_all(tx, those().flat_map(|submission| &submission.rows)).await?;
    let records: Vec<_> = those().flat_map(|submission| come_in(&submission.rows, submission.now)).collect();
    record_all(tx, &records).await?;
    for submission in those() {
        audit::insert(tx, submission.entry.clone()).await?;
    }
    Ok(kept)
}

/// Numbers deliveries, as far as their lines are this hub's still.
async fn has_lines(tx: &mut Tx, numbers: &[Numbered]) -> Result<bool, StoreError> {
    for next in numbers {
        if !nodes::set_line(tx, *next).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn write_alone(store: &Store, submission: Submission) -> Result<Written, Fault> {
    store.write_checked(move |tx| Box::pin(async move { write_one(tx, submission).await })).await
}

async fn write_one(tx: &mut Tx, submission: Submission) -> Result<Written, Fault> {
    if let Some(answer) = submission.once.recall(tx).await? {
        return Ok(Written::Before(answer));
    }
    if !has_lines(tx, &submission.numbers).await? {
        return Ok(Written::Elsewhere(Box::new(submission)));
    }
    if submission.once.is_keyed() {
        submission.once.remember(tx, &submission.answer(), submission.now).await?;
    }
    let Submission { rows, entry, now, .. } = submission;
    tasks::insert_all(tx, &rows).await?;
    record_all(tx, &come_in(&rows, now)).await?;
    audit::insert(tx, entry).await?;
    Ok(Written::Now(rows))
}

impl Submission {
    /// What a repetition is answered with.
    fn answer(&self) -> String {
        if !self.once.is_keyed() {
            return String::new();
        }
        serde_json::to_string(&answer_to(&self.rows)).unwrap_or_default()
    }
}
