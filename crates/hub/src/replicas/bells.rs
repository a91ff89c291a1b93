//! Bells that ring at the other hubs on the database, for waits that are held there. Many go in one message; one that
//! gets lost only delays, since whoever waits looks by itself now and then.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::{BELLS_PER_MESSAGE_MAX, BELLS_WAITING_MAX};
use sortie_store::{Bells, Rung};
use tokio::sync::mpsc;

use crate::app::Shared;

/// What is rung for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bell {
    /// There may be tasks for a node.
    Tasks(NodeId),
    /// A node's task should stop.
    Cancel(NodeId, TaskId),
    /// A task has ended.
    Ended(TaskId),
    /// A task's log has grown.
    Log(TaskId),
    /// A node's line came to the hub that rings, and how often it has arrived somewhere.
    Line(NodeId, u64),
}

/// One message of bells.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    /// Which hub rings.
    from: String,
    bells: Vec<Bell>,
}

/// The way to the other hubs.
#[derive(Debug)]
pub(crate) struct Beyond(mpsc::Sender<Bell>);

impl Beyond {
    /// Rings there.
    pub(crate) fn ring(&self, bell: Bell) {
        if self.0.try_send(bell).is_err() {
            metrics::counter!("sortie_bells_lost_total").increment(1);
        }
    }
}

/// Opens the way, and answers what other hubs ring.
pub(crate) fn answer_bells(app: &Shared, bells: Bells) -> Beyond {
    let (sender, to_send) = mpsc::channel(BELLS_WAITING_MAX);
    let Bells { ring, rung, holds_lock } = bells;
    app.leader.guarded_by(holds_lock);
    tokio::spawn(pass_on(app.leader.own().to_owned(), to_send, ring));
    tokio::spawn(answer(app.clone(), rung));
    Beyond(sender)
}

/// Sends as many bells in a message as have rung since the last.
async fn pass_on(from: String, mut to_send: mpsc::Receiver<Bell>, ring: mpsc::Sender<String>) {
    let mut bells = Vec::new();
    while to_send.recv_many(&mut bells, BELLS_PER_MESSAGE_MAX).await > 0 {
        let message = Message { from: from.clone(), bells: std::mem::take(&mut bells) };
        let text = serde_json::to_string(&message).unwrap_or_default();
        if ring.send(text).await.is_err() {
            return;
        }
    }
}

async fn answer(app: Shared, mut rung: mpsc::Receiver<Rung>) {
    loop {
        let rung = tokio::select! {
            rung = rung.recv() => rung,
            () = app.stop.cancelled() => return,
        };
        match rung {
            None => return,
            Some(Rung::MayHaveMissed) => app.waiting.ring_all_here(),
            // A newer hub's bells may not be readable here.
            Some(Rung::Bell(text)) => match serde_json::from_str::<Message>(&text) {
                Ok(message) if message.from != app.leader.own() => {
                    message.bells.into_iter().for_each(|bell| app.waiting.ring_here(bell));
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "a bell of another hub cannot be read"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    #[test]
    fn as_many_bells_as_go_in_one_message_fit_into_what_postgresql_takes() {
        let id = uuid::Uuid::max();
        let bells = vec![Bell::Cancel(Id::from_uuid(id), Id::from_uuid(id)); BELLS_PER_MESSAGE_MAX];
        let text = serde_json::to_string(&Message { from: "0123456789abcdef".to_owned(), bells: bells.clone() });
        let text = text.unwrap();
        assert!(text.len() < 7900, "{}", text.len());
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap().bells, bells);
    }
}
