//! One read model: a value for each org, read when somebody asks and there is none that is new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::OrgId;
use sortie_rules::limits::{READ_MODEL_LIFE, READ_MODEL_WAIT, READ_MODELS_MAX};
use sortie_rules::read_models::{self, Look};
use sortie_rules::time::Millis;
use tokio::sync::watch;

use crate::app::Shared;
use crate::clock::{Steady, Stopwatch};
use crate::fault::Fault;

/// What was counted, at the moment of one look at the store.
#[derive(Debug)]
pub(crate) struct Counted<T> {
    pub(crate) value: T,
    /// The newest event at that moment.
    pub(crate) event: u64,
}

/// What somebody who asked is given.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    pub(crate) value: Arc<T>,
    /// When it was read.
    pub(crate) as_of: Millis,
    /// No event up to this one changes it.
    pub(crate) event: u64,
    /// Whether it should have been read anew, and could not be.
    pub(crate) outdated: bool,
}

/// A read model.
#[derive(Debug)]
pub(crate) struct ReadModel<T> {
    /// Its word in metrics and logs.
    name: &'static str,
    entries: Mutex<BTreeMap<OrgId, Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    held: Option<Held<T>>,
    /// The read that is under way. There is one at a time.
    flight: Option<Flight<T>>,
    /// When it could not be read, if it was not read since.
    failed: Option<Steady>,
}

impl<T> Default for Entry<T> {
    fn default() -> Entry<T> {
        Entry { held: None, flight: None, failed: None }
    }
}

/// A value in memory.
#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    as_of: Millis,
    event: u64,
    /// When its reading began.
    since: Steady,
    evicted: bool,
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Held<T> {
        let Held { value, as_of, event, since, evicted } = self;
        Held { value: Arc::clone(value), as_of: *as_of, event: *event, since: *since, evicted: *evicted }
    }
}

impl<T> Held<T> {
    fn state(&self) -> read_models::Held {
        read_models::Held { age: self.since.elapsed(), evicted: self.evicted }
    }

    fn is_new(&self) -> bool {
        !self.evicted && self.since.elapsed() < READ_MODEL_LIFE
    }

    fn reading(&self, outdated: bool) -> Reading<T> {
        Reading { value: Arc::clone(&self.value), as_of: self.as_of, event: self.event, outdated }
    }
}

/// How a read ended, once it has.
type Landed<T> = Option<Result<Held<T>, Fault>>;

/// A read that is under way, as those see it who wait for it.
type Flight<T> = watch::Receiver<Landed<T>>;

/// What there is for somebody who asks.
enum Found<T> {
    /// This.
    Held(Reading<T>),
    /// What a read brings; and what is served if it brings nothing, or takes long.
    Flying {
        flight: Flight<T>,
        /// There for whoever is to begin it.
        sender: Option<watch::Sender<Landed<T>>>,
        older: Option<Held<T>>,
    },
}

impl<T: Send + Sync + 'static> ReadModel<T> {
    /// One of which nothing was read yet.
    pub(crate) fn new(name: &'static str) -> Arc<ReadModel<T>> {
        // An increase is seen only of what was there before.
        metrics::counter!("sortie_read_model_failures_total", "model" => name).increment(0);
        Arc::new(ReadModel { name, entries: Mutex::default() })
    }

    /// What holds for this org; `count` looks at the store if nothing in memory is new.
    pub(crate) async fn read<F>(
        self: &Arc<Self>,
        app: &Shared,
        org: OrgId,
        count: impl FnOnce(Shared) -> F,
    ) -> Result<Reading<T>, Fault>
    where
        F: Future<Output = Result<Counted<T>, Fault>> + Send + 'static,
    {
        let (flight, sender, older) = match self.look(org) {
            Found::Held(reading) => return Ok(reading),
            Found::Flying { flight, sender, older } => (flight, sender, older),
        };
        if let Some(sender) = sender {
            let (model, counting, as_of) = (Arc::clone(self), count(app.clone()), app.clock.now());
            // In a task of its own: others wait for it, whether or not this caller still does.
            tokio::spawn(async move { model.fly(org, as_of, counting, &sender).await });
        }
        let Some(older) = older else {
            return landing(flight).await.map(|held| held.reading(false));
        };
        match tokio::time::timeout(READ_MODEL_WAIT.to_std(), landing(flight)).await {
            Ok(Ok(held)) => Ok(held.reading(false)),
            Ok(Err(_)) | Err(_) => Ok(self.served_older(&older)),
        }
    }

    /// Takes for old what an org's value was, if it was read before this event.
    pub(crate) fn evict(&self, org: OrgId, event: u64) {
        if let Some(entry) = self.entries().get_mut(&org) {
            self.evict_entry(entry, event);
        }
    }

    /// The same for every org.
    pub(crate) fn evict_all(&self, event: u64) {
        for entry in self.entries().values_mut() {
            self.evict_entry(entry, event);
        }
    }

    fn evict_entry(&self, entry: &mut Entry<T>, event: u64) {
        if let Some(held) = entry.held.as_mut().filter(|held| !held.evicted && held.event < event) {
            held.evicted = true;
            metrics::counter!("sortie_read_model_evictions_total", "model" => self.name).increment(1);
        }
    }

    /// The oldest of the events up to which what is new in memory was read; none if nothing is.
    pub(crate) fn oldest_event(&self) -> Option<u64> {
        let entries = self.entries();
        let held = entries.values().filter_map(|entry| entry.held.as_ref());
        held.filter(|held| held.is_new()).map(|held| held.event).min()
    }

    /// The events after `after`, up to `until`, were looked through: what has not been evicted is not changed by them.
    pub(crate) fn looked_through(&self, after: u64, until: u64) {
        let mut entries = self.entries();
        let held = entries.values_mut().filter_map(|entry| entry.held.as_mut());
        for held in held.filter(|held| !held.evicted && held.event >= after) {
            held.event = held.event.max(until);
        }
    }

    /// Looks for a value, or for the read that brings one.
    fn look(&self, org: OrgId) -> Found<T> {
        let mut entries = self.entries();
        make_room(&mut entries, org);
        let entry = entries.entry(org).or_default();
        let state = entry.held.as_ref().map(Held::state);
        match (read_models::look(state, entry.failed.map(Steady::elapsed)), &entry.held) {
            (Look::Serve, Some(held)) => {
                self.count_answer("memory");
                return Found::Held(held.reading(false));
            }
            (Look::ServeOlder, Some(held)) => return Found::Held(self.served_older(held)),
            (Look::Read | Look::Serve | Look::ServeOlder, _) => {}
        }
        let older = entry.held.clone().filter(|held| read_models::may_be_served(held.state()));
        // A read that broke off has nobody left who would send.
        if let Some(flight) = entry.flight.clone().filter(|flight| flight.has_changed().is_ok()) {
            return Found::Flying { flight, sender: None, older };
        }
        let (sender, flight) = watch::channel(None);
        entry.flight = Some(flight.clone());
        self.count_answer("read");
        Found::Flying { flight, sender: Some(sender), older }
    }

    /// Reads, keeps what was read, and tells those who wait for it.
    async fn fly(
        &self,
        org: OrgId,
        as_of: Millis,
        counting: impl Future<Output = Result<Counted<T>, Fault>>,
        sender: &watch::Sender<Landed<T>>,
    ) {
        let (since, watch) = (Steady::now(), Stopwatch::start());
        let counted = counting.await;
        metrics::histogram!("sortie_read_model_seconds", "model" => self.name).record(watch.seconds());
        let landed = counted.map(|Counted { value, event }| Held {
            value: Arc::new(value),
            as_of,
            event,
            since,
            evicted: false,
        });
        self.land(org, &landed);
        sender.send_replace(Some(landed));
    }

    fn land(&self, org: OrgId, landed: &Result<Held<T>, Fault>) {
        let mut entries = self.entries();
        let entry = entries.entry(org).or_default();
        entry.flight = None;
        match landed {
            Ok(held) => {
                entry.held = Some(held.clone());
                if entry.failed.take().is_some() {
                    tracing::info!(model = self.name, %org, "What a summary tells is read anew again");
                }
            }
            Err(error) => {
                metrics::counter!("sortie_read_model_failures_total", "model" => self.name).increment(1);
                // Said once, and not with every question while a database is away for an hour.
                if entry.failed.replace(Steady::now()).is_none() {
                    tracing::warn!(
                        model = self.name, %org, %error,
                        "What a summary tells cannot be read anew; what was read before is served for a while"
                    );
                }
            }
        }
    }

    fn served_older(&self, held: &Held<T>) -> Reading<T> {
        self.count_answer("older");
        held.reading(true)
    }

    /// Counts an answer by where it came from; those who wait for one read count once.
    fn count_answer(&self, from: &'static str) {
        metrics::counter!("sortie_read_model_answers_total", "model" => self.name, "from" => from).increment(1);
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<OrgId, Entry<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a read brings.
async fn landing<T>(mut flight: Flight<T>) -> Result<Held<T>, Fault> {
    let broke_off = || Fault::Broken("what a summary tells was not read to its end".to_owned());
    let landed = flight.wait_for(Option::is_some).await.map_err(|_| broke_off())?;
    landed.clone().unwrap_or_else(|| Err(broke_off()))
}

/// Drops what nobody has asked for lately where there are too many orgs, and all that is not being read if that is not
/// enough.
fn make_room<T>(entries: &mut BTreeMap<OrgId, Entry<T>>, org: OrgId) {
    if entries.len() < READ_MODELS_MAX || entries.contains_key(&org) {
        return;
    }
    entries.retain(|_, entry| entry.flight.is_some() || entry.held.as_ref().is_some_and(Held::is_new));
    if entries.len() >= READ_MODELS_MAX {
        entries.retain(|_, entry| entry.flight.is_some());
    }
}

#[cfg(test)]
mod tests {
    use sortie_rules::ids::Id;

    use super::*;

    fn org(number: u128) -> OrgId {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn held(value: u32, event: u64) -> Held<u32> {
        Held { value: Arc::new(value), as_of: Millis(1), event, since: Steady::now(), evicted: false }
    }

    fn failure() -> Result<Held<u32>, Fault> {
        Err(Fault::Broken("no".to_owned()))
    }

    /// A value and whether it is outdated, or the sender of a read that is to be begun.
    type Looked = (Option<(u32, bool)>, Option<watch::Sender<Landed<u32>>>);

    fn found(model: &ReadModel<u32>, org: OrgId) -> Looked {
        match model.look(org) {
            Found::Held(reading) => (Some((*reading.value, reading.outdated)), None),
            Found::Flying { sender, .. } => (None, sender),
        }
    }

    #[test]
    fn one_reads_and_the_others_wait_for_it() {
        let model = ReadModel::new("numbers");
        let (value, sender) = found(&model, org(1));
        assert!(value.is_none() && sender.is_some(), "who comes first reads");
        assert!(matches!(found(&model, org(1)), (None, None)), "who comes next waits");
        assert!(found(&model, org(2)).1.is_some(), "another org's is another");
        drop(sender);
        assert!(found(&model, org(1)).1.is_some(), "a read that broke off is begun anew");
        model.land(org(1), &Ok(held(7, 1)));
        assert!(matches!(found(&model, org(1)), (Some((7, false)), None)));
    }

    #[test]
    fn an_event_evicts_what_was_read_before_it() {
        let model = ReadModel::new("numbers");
        for number in [1, 2] {
            model.land(org(number), &Ok(held(7, 10)));
        }
        assert_eq!(model.oldest_event(), Some(10));
        model.evict(org(1), 10);
        assert!(found(&model, org(1)).0.is_some(), "it was read after this event");
        model.looked_through(11, 20);
        assert_eq!(model.oldest_event(), Some(10), "between, somebody might have missed one");
        model.looked_through(10, 12);
        assert_eq!(model.oldest_event(), Some(12), "nothing up to there changes it");
        model.evict(org(1), 13);
        let (value, sender) = found(&model, org(1));
        assert!(value.is_none() && sender.is_some());
        assert!(found(&model, org(2)).0.is_some(), "another org's stays");
        model.evict_all(14);
        assert!(found(&model, org(2)).1.is_some());
        assert_eq!(model.oldest_event(), None, "nothing is new");
    }

    #[test]
    fn what_cannot_be_read_anew_is_served_as_it_was() {
        let model = ReadModel::new("numbers");
        model.land(org(1), &failure());
        assert!(found(&model, org(1)).1.is_some(), "there is nothing older");
        model.land(org(1), &Ok(held(7, 10)));
        model.evict(org(1), 11);
        let Found::Flying { sender: Some(_sender), older: Some(_), .. } = model.look(org(1)) else {
            panic!("it is read anew, and what is older is at hand");
        };
        model.land(org(1), &failure());
        assert!(matches!(found(&model, org(1)), (Some((7, true)), None)), "and it is not tried with each question");
        model.land(org(1), &Ok(held(8, 11)));
        assert!(matches!(found(&model, org(1)), (Some((8, false)), None)));
    }

    #[test]
    fn memory_has_an_end() {
        let model = ReadModel::new("numbers");
        for number in 0..=READ_MODELS_MAX as u128 {
            drop(found(&model, org(number)));
            model.land(org(number), &Ok(held(7, 10)));
        }
        assert!(model.entries().len() <= READ_MODELS_MAX);
    }
}
