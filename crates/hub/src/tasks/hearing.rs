//! Since when this hub hears agents without a break. Whatever reaches the database about once a second tells.

use std::sync::{Mutex, PoisonError};

use sortie_rules::hearing as rules;
use sortie_rules::time::Millis;

use crate::app::App;

/// Since when this hub hears agents.
#[derive(Debug)]
pub(crate) struct Hearing(Mutex<rules::Hearing>);

impl Hearing {
    /// It begins to.
    pub(crate) fn new(now: Millis) -> Hearing {
        Hearing(Mutex::new(rules::Hearing::begin(now)))
    }

    /// The database was reached. Returns since when this hub has heard agents without a break.
    pub(crate) fn reached(&self, app: &App) -> Millis {
        let mut hearing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *hearing = hearing.reached(app.clock.now());
        hearing.since()
    }
}
