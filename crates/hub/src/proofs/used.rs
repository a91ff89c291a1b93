//! Which assertions were used. A hub remembers its own in memory, by the minute in which they end, so that
//! thousands of idle agents write nothing; hubs that share a database keep them there too, for each other.
//!
//! A hub without others refuses what was made before it began, since it cannot tell whether that was used.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::limits::ASSERTIONS_REMEMBERED_MAX;
use sortie_rules::time::{Millis, Span};
use sortie_store::assertions;
use sortie_wire::problem::ProblemCode;

use super::assertion::Shown;
use crate::app::App;
use crate::fault::{Fault, refuse, refuse_for};

/// Which assertions were used on this hub.
#[derive(Debug, Default)]
pub(crate) struct Used(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By the minute in which they end.
    by_minute: BTreeMap<i64, HashSet<Mark>>,
    count: usize,
    /// The newest minute of which all were forgotten.
    forgotten: Option<i64>,
}

/// What is kept of one: half of a hash over node and id.
type Mark = [u8; 16];

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Full;

impl Used {
    /// From when on this hub can tell what was used; nothing where the database knows all of it.
    pub(crate) fn since(&self, app: &App) -> Option<Millis> {
        (!is_shared(app)).then_some(app.listening_since)
    }

    /// Refuses what this hub knows to have been used, so that whoever sends it again costs its node nothing.
    pub(crate) fn is_new(&self, shown: &Shown) -> Result<(), Fault> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.by_minute.get(&minute(shown.expires_at));
        if known.is_some_and(|marks| marks.contains(&mark(shown))) { Err(used_before()) } else { Ok(()) }
    }

    /// Uses an assertion, which counts once. The caller has been found to be the node, and to have requests left.
    pub(crate) async fn once(&self, app: &App, shown: &Shown) -> Result<(), Fault> {
        let (mark, until) = (mark(shown), shown.expires_at);
        let is_fresh = self.remember(mark, until, app.clock.now()).map_err(|Full| {
            let detail = "This hub remembers as many assertions as it can; come back in a moment.";
            refuse_for(Span::seconds(10), ProblemCode::RateLimited, detail)
        })?;
        if !is_fresh || (is_shared(app) && !is_fresh_to_all(app, mark, until).await?) {
            return Err(used_before());
        }
        Ok(())
    }

    /// Notes one. `false` if it was there.
    fn remember(&self, mark: Mark, until: Millis, now: Millis) -> Result<bool, Full> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.forget_before(now);
        // A clock that was put back must not make valid again what was forgotten.
        if remembered.forgotten.is_some_and(|forgotten| minute(until) <= forgotten) {
            return Ok(false);
        }
        if remembered.count >= ASSERTIONS_REMEMBERED_MAX {
            return Err(Full);
        }
        let is_fresh = remembered.by_minute.entry(minute(until)).or_default().insert(mark);
        remembered.count += usize::from(is_fresh);
        Ok(is_fresh)
    }
}

impl Remembered {
    /// Forgets those whose minute is over: they would be refused anyway.
    fn forget_before(&mut self, now: Millis) {
        while let Some(oldest) = self.by_minute.first_entry().filter(|oldest| *oldest.key() < minute(now)) {
            self.forgotten = self.forgotten.max(Some(*oldest.key()));
            self.count -= oldest.remove().len();
        }
    }
}

fn used_before() -> Fault {
    metrics::counter!("sortie_assertions_refused_total", "why" => "replayed").increment(1);
    refuse(ProblemCode::AssertionReplayed, "This assertion was used before; each counts for one request.")
}

fn minute(at: Millis) -> i64 {
    at.0.div_euclid(60_000)
}

fn mark(shown: &Shown) -> Mark {
    let hash = digest(&SHA256, format!("{} {}", shown.node, shown.id).as_bytes());
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.as_ref()[..16]);
    mark
}

fn is_shared(app: &App) -> bool {
    app.store.engine() == "postgres"
}

async fn is_fresh_to_all(app: &App, mark: Mark, until: Millis) -> Result<bool, Fault> {
    let id = hex::encode(mark);
    app.store
        .write(move |tx| Box::pin(async move { Ok::<_, Fault>(assertions::use_once(tx, &id, until).await?) }))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    #[test]
    fn each_counts_once_and_is_kept_until_it_ends() {
        let (used, until) = (Used::default(), NOW + Span::minutes(5));
        assert_eq!(used.remember([1; 16], until, NOW), Ok(true));
        assert_eq!(used.remember([1; 16], until, NOW), Ok(false));
        assert_eq!(used.remember([2; 16], until, NOW), Ok(true));
        assert_eq!(used.remember([1; 16], until, until - Span(1)), Ok(false));
        assert_eq!(used.remember([3; 16], until + Span::minutes(5), until + Span::minutes(1)), Ok(true));
        assert_eq!(used.0.lock().unwrap().count, 1, "what has ended is forgotten");
        assert_eq!(used.remember([4; 16], until, NOW), Ok(false), "and stays used if the clock is put back");
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let used = Used::default();
        let until = NOW + Span::minutes(5);
        used.0.lock().unwrap().count = ASSERTIONS_REMEMBERED_MAX;
        assert_eq!(used.remember([1; 16], until, NOW), Err(Full));
    }
}
