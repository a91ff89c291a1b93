//! What the agent hands over: deliveries, which are looked at as if nobody had done so before, and the hub's time.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use sortie_rules::time::Span;
use sortie_rules::verification::{Head, Wait};
use sortie_wire::deliveries::Delivery;
use sortie_wire::envelope::{DELIVERY, Envelope, Verifier};

use super::operations::Desk;
use super::protocol::Answer;
use super::spool::Spool;
use super::time::InTime;
use super::trust;
use crate::clock::Steady;
use crate::identity::{Identity, NodeRecord};
use crate::policy::Policy;

/// How often the spool is tidied.
const TIDY_EVERY: Span = Span::minutes(1);

/// What a helper keeps, and by what it judges.
#[derive(Debug)]
pub(super) struct Intake {
    /// Its own folder, with its copy of who the node is and whom it believes.
    pub(super) data: PathBuf,
    pub(super) policy: PathBuf,
    pub(super) spool: Spool,
    pub(super) desk: Desk,
    /// When the spool was last tidied, and whether it had room then.
    tidied: Mutex<Option<(Steady, bool)>>,
}

impl Intake {
    pub(super) fn new(data: PathBuf, policy: PathBuf, spool: Spool, desk: Desk) -> Intake {
        Intake { data, policy, spool, desk, tidied: Mutex::default() }
    }

    /// Keeps what a delivery has for other users, if the hub has signed it, for this node, and lately.
    pub(super) fn take(&self, envelope: &Envelope) -> Result<Answer, String> {
        let (identity, keys) = self.trusted()?;
        let message = keys
            .open(envelope, DELIVERY)
            .map_err(|error| format!("{error}; if the hub has new keys, the agent brings what leads to them"))?;
        let delivery: Delivery = serde_json::from_slice(&message).map_err(|error| error.to_string())?;
        if delivery.node != identity.node {
            return Err(format!("the delivery is for another node ({})", delivery.node));
        }
        match self.desk.time.judge(&head(&delivery)) {
            InTime::Yes => {}
            InTime::Ask(nonce) => return Ok(Answer::AskTheTime(nonce)),
            InTime::No(refused) => return Err(format!("the delivery is out of time by the hub's clock ({refused})")),
        }
        self.desk.time.note(delivery.issued_at).map_err(|error| error.to_string())?;
        trust::only_ours(&self.policy)?;
        let policy = Policy::read(&self.policy).map_err(|error| error.to_string())?;
        if !self.has_room().map_err(|error| error.to_string())? {
            return Err("the helper keeps as many runs as it may".to_owned());
        }
        let mut taken = 0;
        for handed in &delivery.tasks {
            if policy.is_for_helper(&handed.type_name) {
                self.spool.keep(&delivery, handed).map_err(|error| error.to_string())?;
                taken += 1;
            }
        }
        Ok(Answer::Taken(taken))
    }

    /// Takes the hub's answer to a nonce of the helper's.
    pub(super) fn hear_time(&self, envelope: &Envelope) -> Result<Answer, String> {
        self.desk.time.hear(&self.trusted()?.1, envelope).map(Answer::Time)
    }

    fn trusted(&self) -> Result<(NodeRecord, Verifier), String> {
        let identity = Identity::record(&self.data).map_err(|error| error.to_string())?;
        let keys = Verifier::new(&identity.keys).map_err(|error| error.to_string())?;
        Ok((identity, keys))
    }

    /// Whether more may be kept; every now and then what is old is forgotten before.
    fn has_room(&self) -> io::Result<bool> {
        let mut tidied = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, has_room)) = *tidied
            && at.elapsed() < TIDY_EVERY
        {
            return Ok(has_room);
        }
        let has_room = self.spool.tidy(self.desk.time.kept())?;
        *tidied = Some((Steady::now(), has_room));
        Ok(has_room)
    }
}

fn head(delivery: &Delivery) -> Head {
    let Delivery { node, answers, number, issued_at, expires_at, .. } = *delivery;
    Head { node, answers: Wait { boot: answers.boot, seq: answers.seq }, number, issued_at, expires_at }
}
