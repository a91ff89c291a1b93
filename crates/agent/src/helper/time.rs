//! The time, as the helper knows it. It opens no connection, so the agent brings it the hub's signed time, as the
//! answer to a nonce of the helper's own: whoever brings it can hold it back, and neither make it nor use it
//! again. What the hub has once signed is on disk, and operations are never judged by an earlier time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sortie_rules::time::{Millis, Span};
use sortie_rules::verification::{Head, Refused, in_time};
use sortie_wire::deliveries::SignedTime;
use sortie_wire::envelope::{Envelope, TIME, Verifier};

use crate::clock::{Clock, Entropy, Steady};
use crate::data_folder::{FolderError, read_if_there, write_whole};
use crate::line::HubTime;
use crate::operations::OperationTime;

/// Where the latest time is kept that the hub has signed.
const FILE: &str = "not_before";
/// How long an answer to a nonce may take. By so much the helper's idea of the time may be late.
const ANSWERED_WITHIN: Span = Span::minutes(1);
/// Most nonces whose answers are awaited.
const NONCES_MAX: usize = 64;

/// What the helper knows of the time.
#[derive(Debug)]
pub(super) struct Time {
    file: PathBuf,
    hub: Arc<HubTime>,
    operations: OperationTime,
    entropy: Entropy,
    questions: Mutex<Questions>,
    /// What is on disk.
    kept: Mutex<Millis>,
}

/// What was asked, and when it was answered last.
#[derive(Debug, Default)]
struct Questions {
    open: VecDeque<(String, Steady)>,
    answered: Option<Steady>,
}

/// Whether a delivery is in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InTime {
    Yes,
    /// That is said when the hub's time has come for this nonce.
    Ask(String),
    No(Refused),
}

impl Time {
    /// The time in the helper's own folder.
    pub(super) fn open(data: &Path, clock: Clock, entropy: Entropy) -> Result<Time, FolderError> {
        let file = data.join(FILE);
        let text = read_if_there(&file)?;
        let kept = Millis(text.and_then(|text| text.trim().parse().ok()).unwrap_or(0));
        let hub = Arc::new(HubTime::new(clock.clone(), kept));
        let operations = OperationTime::new(clock, Arc::clone(&hub));
        Ok(Time { file, hub, operations, entropy, questions: Mutex::default(), kept: Mutex::new(kept) })
    }

    /// Whether a delivery that the hub has signed is in time, by the hub's clock and no other. Where the hub has
    /// told no time in this life of the helper, or not lately and the delivery seems out of time, it is asked.
    pub(super) fn judge(&self, head: &Head) -> InTime {
        let answered = self.questions.lock().unwrap_or_else(PoisonError::into_inner).answered;
        let Some(answered) = answered else { return InTime::Ask(self.ask()) };
        match in_time(head, self.hub.now()) {
            Ok(()) => InTime::Yes,
            Err(_) if answered.elapsed() > ANSWERED_WITHIN => InTime::Ask(self.ask()),
            Err(refused) => InTime::No(refused),
        }
    }

    /// By which time operations are judged: the later of this machine's clock and of what the hub has ever signed.
    /// The nonce is for the hub, if it has told no time in this life of the helper.
    pub(super) fn of_operations(&self) -> Result<Millis, String> {
        let answered = self.questions.lock().unwrap_or_else(PoisonError::into_inner).answered;
        match answered {
            Some(_) => Ok(self.operations.now()),
            None => Err(self.ask()),
        }
    }

    /// The hub's answer to a nonce of ours; it is on disk when this returns.
    pub(super) fn hear(&self, keys: &Verifier, envelope: &Envelope) -> Result<Millis, String> {
        let message = keys.open(envelope, TIME).map_err(|error| format!("the hub's time is not believed: {error}"))?;
        let told: SignedTime = serde_json::from_slice(&message).map_err(|error| error.to_string())?;
        {
            let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
            let is_open = |(nonce, at): &(String, Steady)| *nonce == told.nonce && at.elapsed() <= ANSWERED_WITHIN;
            let place = questions.open.iter().position(is_open);
            let place = place.ok_or("the signed time is the answer to another question, or came too late")?;
            questions.open.remove(place);
            self.hub.believe(told.now);
            questions.answered = Some(Steady::now());
        }
        self.keep().map_err(|error| error.to_string())?;
        Ok(told.now)
    }

    /// A delivery that is in time was signed at this time; it is on disk when this returns.
    pub(super) fn note(&self, issued_at: Millis) -> Result<(), FolderError> {
        self.hub.observe(issued_at);
        self.keep()
    }

    /// What the helper will never count as earlier, over restarts too.
    pub(super) fn kept(&self) -> Millis {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self) -> Result<(), FolderError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = self.hub.highest();
        if highest > *kept {
            write_whole(&self.file, highest.0.to_string().as_bytes())?;
            *kept = highest;
        }
        Ok(())
    }

    fn ask(&self) -> String {
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if questions.open.len() == NONCES_MAX {
            questions.open.pop_front();
        }
        let nonce = self.entropy.hex();
        questions.open.push_back((nonce.clone(), Steady::now()));
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_rules::verification::Wait;
    use sortie_wire::envelope::{DELIVERY, Signer};
    use sortie_wire::keys::KeySet;

    const NOW: Millis = Millis(1_800_000_000_000);

    struct Hub(Signer);

    impl Hub {
        fn new() -> Hub {
            let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
            Hub(Signer::from_pkcs8(&pair.serialize_der()).unwrap())
        }
        fn keys(&self) -> Verifier {
            Verifier::new(&KeySet { version: 1, keys: vec![self.0.public_key()], ..KeySet::default() }).unwrap()
        }
        fn says(&self, nonce: &str, now: Millis) -> Envelope {
            let told = SignedTime { nonce: nonce.to_owned(), now };
            self.0.sign(TIME, &serde_json::to_vec(&told).unwrap())
        }
    }

    /// The time in this folder, on a machine whose clock shows `local`.
    fn time(folder: &Path, local: Millis) -> Time {
        let counter = std::sync::atomic::AtomicU64::new(0);
        let draw = move |bytes: &mut [u8]| {
            let next = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_le_bytes();
            bytes[..8].copy_from_slice(&next);
        };
        Time::open(folder, Clock::new(move || local), Entropy::new(draw)).unwrap()
    }

    fn head(issued_at: Millis) -> Head {
        let answers = Wait { boot: Id::from_uuid(uuid::Uuid::nil()), seq: 1 };
        let node = Id::from_uuid(uuid::Uuid::nil());
        Head { node, answers, number: 1, issued_at, expires_at: issued_at + Span::minutes(10) }
    }

    fn asked(time: &Time, issued_at: Millis) -> String {
        match time.judge(&head(issued_at)) {
            InTime::Ask(nonce) => nonce,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_hub_s_time_counts_whatever_the_machine_s_clock_shows() {
        let hub = Hub::new();
        for local in [NOW - Span::days(365), NOW + Span::days(365), Millis(0)] {
            let folder = tempfile::tempdir().unwrap();
            let time = time(folder.path(), local);
            let nonce = asked(&time, NOW);
            assert_eq!(time.hear(&hub.keys(), &hub.says(&nonce, NOW)), Ok(NOW));
            assert_eq!(time.judge(&head(NOW)), InTime::Yes);
            assert_eq!(time.judge(&head(NOW - Span::hours(1))), InTime::No(Refused::Expired));
            // It goes on by itself, and the hub is asked before anything is refused that may be in time.
            tokio::time::advance(Span::hours(1).to_std()).await;
            assert_eq!(time.judge(&head(NOW + Span::hours(1))), InTime::Yes);
            asked(&time, NOW);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_hub_s_answer_to_a_question_of_ours_is_believed_once_and_for_a_minute() {
        let (hub, stranger) = (Hub::new(), Hub::new());
        let folder = tempfile::tempdir().unwrap();
        let time = time(folder.path(), Millis(0));
        let nonce = asked(&time, NOW);
        let good = hub.says(&nonce, NOW);
        assert!(time.hear(&hub.keys(), &stranger.says(&nonce, NOW)).is_err(), "a stranger says so");
        let other = hub.0.sign(DELIVERY, &serde_json::to_vec(&SignedTime { nonce: nonce.clone(), now: NOW }).unwrap());
        assert!(time.hear(&hub.keys(), &other).is_err(), "another message");
        assert!(time.hear(&hub.keys(), &hub.says("else", NOW)).is_err(), "the answer to nobody's question");
        assert!(time.of_operations().is_err(), "none of that is a time");
        time.hear(&hub.keys(), &good).unwrap();
        assert!(time.hear(&hub.keys(), &good).is_err(), "the same once more");
        tokio::time::advance(Span::hours(1).to_std()).await;
        let nonce = asked(&time, NOW);
        let late = hub.says(&nonce, NOW);
        tokio::time::advance(Span::minutes(2).to_std()).await;
        assert!(time.hear(&hub.keys(), &late).is_err(), "it was held back");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_hub_has_once_signed_is_never_undercut_for_operations_over_restarts_too() {
        let hub = Hub::new();
        let folder = tempfile::tempdir().unwrap();
        let told = |time: &Time, now| {
            let nonce = time.of_operations().expect_err("it was told no time in this life");
            time.hear(&hub.keys(), &hub.says(&nonce, now)).unwrap();
            time.of_operations().unwrap()
        };
        let first = time(folder.path(), Millis(0));
        assert_eq!(told(&first, NOW), NOW);
        first.note(NOW + Span::minutes(3)).unwrap();
        // The machine forgets the time, and the hub, or who has its keys, says that it is a year earlier.
        let second = time(folder.path(), Millis(0));
        assert_eq!(told(&second, NOW - Span::days(365)), NOW + Span::minutes(3));
        let ahead = time(folder.path(), NOW + Span::days(1));
        assert_eq!(told(&ahead, NOW), NOW + Span::days(1), "the later of both");
    }
}
