//! Who does what needs doing once. A hub alone on its database always does.

use std::sync::{Mutex, PoisonError};

use sortie_rules::leaders::{Look, Seen, look};
use sortie_rules::limits::LEADER_LAPSE;
use sortie_rules::time::Span;
use sortie_store::leaders::{self, Holder};

use crate::app::App;
use crate::clock::{Entropy, Steady};
use crate::fault::Fault;

/// What the leader does: every loop that needs doing once.
const DUTY: &str = "loops";

/// Whether this hub leads.
#[derive(Debug)]
pub(crate) struct Leader {
    /// A name of this start of this hub.
    own: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The holder that was seen, and since when it has not changed.
    seen: Option<(Holder, Steady)>,
    /// When this hub last began to beat with success.
    beat: Option<Steady>,
}

impl Leader {
    /// Nobody leads yet.
    pub(crate) fn new(entropy: &Entropy) -> Leader {
        Leader { own: hex::encode(entropy.bytes::<8>()), state: Mutex::default() }
    }

    /// A name of this start of this hub.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// Whether this hub leads now.
    pub(crate) fn leads(&self, app: &App) -> bool {
        let is_alone = app.store.engine() != "postgres";
        is_alone || self.state().beat.is_some_and(|beat| beat.elapsed() < Span(LEADER_LAPSE.0 / 2))
    }

    /// Looks who leads, and leads if nobody else does. Returns 1 if that is news.
    pub(crate) async fn beat(&self, app: &App) -> Result<u64, Fault> {
        let (began, led) = (Steady::now(), self.leads(app));
        let holder = app.store.read(|tx| Box::pin(async move { leaders::holder(tx, DUTY).await })).await?;
        let unchanged_for = self.watch(holder.clone(), began);
        let seen = holder.as_ref().map(|holder| Seen { holder: &holder.name, unchanged_for });
        if look(&self.own, seen) == Look::Wait {
            self.state().beat = None;
            return Ok(0);
        }
        let own = self.own.clone();
        let taken = app
            .store
            .write(move |tx| Box::pin(async move { leaders::take(tx, DUTY, holder.as_ref(), &own).await }))
            .await?;
        self.state().beat = taken.then_some(began);
        if taken && !led {
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
        let own = self.own.clone();
        app.store.write(move |tx| Box::pin(async move { Ok::<_, Fault>(leaders::let_go(tx, DUTY, &own).await?) })).await
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
