//! Who does what needs doing once. A hub alone on its database always does.

use std::sync::{Mutex, OnceLock, PoisonError};

use sortie_rules::leaders::{self as rules, Beat, HolderName, Look, Seen, lock_of, look};
use sortie_rules::time::Span;
use sortie_store::Tx;
use sortie_store::leaders::{self, Holder};
use tokio::sync::watch;

use crate::app::App;
use crate::clock::{Entropy, Steady};
use crate::fault::Fault;

/// What the leader does: every loop that needs doing once.
pub(crate) const DUTY: &str = "loops";

/// Whether this hub leads.
#[derive(Debug)]
pub(crate) struct Leader {
    /// A name of this start of this hub.
    own: String,
    /// For which time the lock is held that ends with this hub; 0 while it is not.
    holds_lock: OnceLock<watch::Receiver<u64>>,
    /// How often this hub has begun to lead.
    began: watch::Sender<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The holder that was seen, and since when it has not changed.
    seen: Option<(Holder, Steady)>,
    /// When this hub last began to beat with success, and for which time it held its lock then; 0 if it did not.
    beat: Option<(Steady, u64)>,
}

impl Leader {
    /// Nobody leads yet.
    pub(crate) fn new(entropy: &Entropy) -> Leader {
        Leader {
            own: hex::encode(entropy.bytes::<8>()),
            holds_lock: OnceLock::new(),
            began: watch::Sender::default(),
            state: Mutex::default(),
        }
    }

    /// A name of this start of this hub.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// The lock by which others see whether this hub lives.
    pub(crate) fn lock(&self) -> Option<i64> {
        lock_of(&self.own)
    }

    /// It is held while this says so.
    pub(crate) fn guarded_by(&self, holds_lock: watch::Receiver<u64>) {
        // There is one connection for bells in the life of a hub.
        let _first = self.holds_lock.set(holds_lock);
    }

    /// Changes whenever this hub begins to lead.
    pub(crate) fn began(&self) -> watch::Receiver<u64> {
        self.began.subscribe()
    }

    fn lock_time(&self) -> u64 {
        self.holds_lock.get().map_or(0, |time| *time.borrow())
    }

    /// Whether this hub leads now.
    pub(crate) fn leads(&self, app: &App) -> bool {
        let is_alone = app.store.engine() != "postgres";
        is_alone || {
            let beat = self.state().beat;
            // One that was lost and taken again is another: somebody may lead since.
            let is_held = beat.is_some_and(|(_, time)| time == self.lock_time());
            rules::leads(beat.map(|(since, time)| Beat { age: since.elapsed(), guarded: time > 0 }), is_held)
        }
    }

    /// Looks who leads, and leads if nobody else does. Returns 1 if that is news.
    pub(crate) async fn beat(&self, app: &App) -> Result<u64, Fault> {
        let (began, led) = (Steady::now(), self.leads(app));
        let (holder, lock_is_free) = app.store.read(|tx| Box::pin(async move { holder(tx).await })).await?;
        app.hearing.reached(app);
        let unchanged_for = self.watch(holder.clone(), began);
        let seen =
            holder.as_ref().map(|holder| Seen { holder: HolderName::parse(&holder.name), unchanged_for, lock_is_free });
        if look(&self.own, seen) == Look::Wait {
            self.state().beat = None;
            return Ok(u64::from(led));
        }
        // Asked before it is written: a lock that is lost meanwhile makes a name that says too much, and this hub lead
        // no more.
        let time = self.lock_time();
        let own = HolderName { own: &self.own, guarded: time > 0 }.text();
        let taken = app
            .store
            .write(move |tx| Box::pin(async move { leaders::take(tx, DUTY, holder.as_ref(), &own).await }))
            .await?;
        self.state().beat = taken.then_some((began, time));
        if taken && !led {
            self.began.send_modify(|times| *times += 1);
            tracing::info!("This hub does from now on what one of the hubs on this database has to do");
        }
        Ok(u64::from(taken != led))
    }

    /// Lets go at an orderly stop, so that another hub leads at once.
    pub(crate) async fn let_go(&self, app: &App) -> Result<(), Fault> {
        if app.store.engine() != "postgres" {
            return Ok(());
        }
        self.state().beat = None;
        let names = [true, false].map(|guarded| HolderName { own: &self.own, guarded }.text());
        app.store
            .write(move |tx| {
                Box::pin(async move {
                    for name in names {
                        leaders::let_go(tx, DUTY, &name).await?;
                    }
                    Ok::<_, Fault>(())
                })
            })
            .await
    }

    /// Notes what was seen; says for how long it has been so.
    fn watch(&self, holder: Option<Holder>, now: Steady) -> Span {
        let mut state = self.state();
        match (&state.seen, holder) {
            (Some((before, since)), Some(holder)) if *before == holder => since.elapsed(),
            (_, holder) => {
                state.seen = holder.map(|holder| (holder, now));
                Span::ZERO
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who holds the duty, and whether their lock is free.
async fn holder(tx: &mut Tx) -> Result<(Option<Holder>, bool), Fault> {
    let holder = leaders::holder(tx, DUTY).await?;
    let lock = holder.as_ref().and_then(|holder| lock_of(HolderName::parse(&holder.name).own));
    let is_free = match lock {
        Some(lock) => leaders::lock_is_free(tx, lock).await?,
        None => false,
    };
    Ok((holder, is_free))
}
