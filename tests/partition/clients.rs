//! People who submit work through whichever hub they reach, each submission under one key until it is acknowledged, and
//! one who follows the events.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use serde_json::value::to_raw_value;
use sortie_client::ClientError;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::time::Span;
use sortie_wire::events::EventQuery;
use sortie_wire::tasks::SubmitTask;
use stories::{Seed, until_within};

use crate::country::Country;
use crate::places::Place;

/// How many submit.
const SEATS: usize = 4;
/// How long one goes on with a try before trying elsewhere.
const ATTEMPT: Duration = Duration::from_secs(1);
/// How many tasks each submits in a step at most.
const LIVES_PER_STEP: u32 = 3;
/// How long a step takes if nothing holds it up. Nothing is asserted of it: a fault has to last for some time.
const STEP: Duration = Duration::from_millis(700);
/// Most events that are read at once.
const EVENTS_PER_LOOK: u32 = 1000;

/// One submission.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    key: String,
    pub(crate) place: Place,
    /// What it appends to the journal at its site.
    pub(crate) line: String,
    task: SubmitTask,
}

/// Everybody who submits.
#[derive(Debug)]
pub(crate) struct Clients {
    doors: Vec<Hub>,
    journals: BTreeMap<Place, String>,
    seats: Vec<Seat>,
    follower: Follower,
}

#[derive(Debug)]
struct Seat {
    number: usize,
    begun: u32,
    draws: Seed,
    /// What has not been acknowledged yet.
    open: Option<Order>,
    acknowledged: BTreeMap<TaskId, Order>,
}

/// One who reads events where they can be had, in their order.
#[derive(Debug)]
struct Follower {
    seen: u64,
    draws: Seed,
}

impl Clients {
    /// People in this country.
    pub(crate) fn of(country: &Country<'_>, seed: &Seed) -> Clients {
        let journal = |site: &stories::Site<'_>| site.files().join("journal").display().to_string();
        let journals = Place::AGENTS.into_iter().zip(country.sites.iter().map(journal)).collect();
        let seat = |number| Seat { number, begun: 0, draws: seed.another(), open: None, acknowledged: BTreeMap::new() };
        let seats = (0..SEATS).map(seat).collect();
        let follower = Follower { seen: 0, draws: seed.another() };
        Clients { doors: country.doors(), journals, seats, follower }
    }

    /// Lets everybody go on for a while.
    pub(crate) async fn step(&mut self) {
        let began = Instant::now();
        let (doors, journals) = (&self.doors, &self.journals);
        let seats = self.seats.iter_mut().map(|seat| seat.step(doors, journals));
        tokio::join!(futures_util::future::join_all(seats), self.follower.step(doors));
        until_within(STEP.saturating_sub(began.elapsed()), async || None::<()>).await;
    }

    /// Goes on with what is open until all of it is acknowledged.
    pub(crate) async fn finish(&mut self, patience: Duration) {
        let finished = until_within(patience, async || {
            for seat in &mut self.seats {
                if let Some(order) = seat.open.clone() {
                    seat.submit(&self.doors, &order).await;
                }
            }
            self.seats.iter().all(|seat| seat.open.is_none()).then_some(())
        })
        .await;
        assert!(finished.is_some(), "with all roads open, these are still not acknowledged: {:?}", self.open());
    }

    /// What has been acknowledged so far.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = (&TaskId, &Order)> {
        self.seats.iter().flat_map(|seat| &seat.acknowledged)
    }

    fn open(&self) -> Vec<&str> {
        self.seats.iter().filter_map(|seat| seat.open.as_ref()).map(|order| order.key.as_str()).collect()
    }
}

impl Seat {
    async fn step(&mut self, doors: &[Hub], journals: &BTreeMap<Place, String>) {
        for _ in 0..LIVES_PER_STEP {
            let order = self.open.take().unwrap_or_else(|| self.order(journals));
            self.open = Some(order.clone());
            let Some(id) = self.submit(doors, &order).await else { return };
            // An answer may have been lost on its way: the same once more, wherever.
            if self.draws.below(4) == 0
                && let Some(again) = self.submit(doors, &order).await
            {
                assert_eq!(again, id, "the same key gives the same task at every hub");
            }
            // One who waits for the end, and goes on without it if it does not come.
            let wait = self.door(doors).task(id, Some(1));
            match tokio::time::timeout(ATTEMPT, wait).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => passing(&error, &order),
                Err(_elapsed) => return,
            }
        }
    }

    /// One more submission.
    fn order(&mut self, journals: &BTreeMap<Place, String>) -> Order {
        self.begun += 1;
        let line = format!("{}-{}", self.number, self.begun);
        let place = Place::AGENTS[usize::try_from(self.draws.below(3)).expect("it is below 3")];
        let payload = json!({ "path": journals[&place], "line": line });
        let task = SubmitTask {
            type_name: "file.append".to_owned(),
            node: place.name().to_owned(),
            payload: Some(to_raw_value(&payload).expect("it is JSON")),
            priority: None,
            not_before: None,
            not_after: None,
            max_retries: Some(100),
            lease: Some(Span::seconds(10)),
        };
        Order { key: format!("order-{line}"), place, line, task }
    }

    /// Tries once to submit it at some hub. If that is acknowledged, it is open no more.
    async fn submit(&mut self, doors: &[Hub], order: &Order) -> Option<TaskId> {
        let door = self.door(doors);
        match tokio::time::timeout(ATTEMPT, door.submit(&order.task, Some(&order.key))).await {
            Ok(Ok(submitted)) => {
                self.acknowledged.insert(submitted.id, order.clone());
                self.open = None;
                Some(submitted.id)
            }
            Ok(Err(error)) => {
                passing(&error, order);
                None
            }
            Err(_elapsed) => None,
        }
    }

    fn door<'h>(&self, doors: &'h [Hub]) -> &'h Hub {
        &doors[usize::try_from(self.draws.below(doors.len() as u64)).expect("it is below their number")]
    }
}

/// A network that fails is told as something that passes, never as a refusal.
fn passing(error: &ClientError, order: &Order) {
    assert!(!error.is_final(), "{} was refused for good: {error}", order.key);
}

impl Follower {
    async fn step(&mut self, doors: &[Hub]) {
        let door = &doors[usize::try_from(self.draws.below(doors.len() as u64)).expect("it is below their number")];
        let query = EventQuery { after: Some(self.seen), limit: Some(EVENTS_PER_LOOK), ..EventQuery::default() };
        let Ok(Ok(page)) = tokio::time::timeout(ATTEMPT, door.events(&query)).await else { return };
        for event in page.items {
            assert_eq!(event.number, self.seen + 1, "who has seen an event has seen all before it: {event:?}");
            self.seen = event.number;
        }
    }
}
