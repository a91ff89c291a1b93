//! Tasks: submitted by people, handed to agents when they ask, ended by what agents report.
//!
//! In the order of a task's life: `submit` on its `terms`, `together` with others, `wait` with `arrive`, `claim` and
//! `redeliver`, `renew`, `finish` with `judge`; aside from it `cancel`, `requeue`, `expire_leases`, `wake_due`,
//! `abandon`, `read`; `hearing` says since when silence counts.

mod abandon;
pub(crate) mod agent_routes;
mod arrive;
mod cancel;
mod claim;
mod delivery;
mod events;
mod expire_leases;
mod finish;
mod forget_old;
mod hearing;
mod judge;
mod read;
mod renew;
mod requeue;
pub(crate) mod routes;
mod submit;
mod terms;
mod together;
mod wait;
mod wake_due;

pub(crate) use abandon::abandon_held;
pub(crate) use arrive::learn_line;
pub(crate) use cancel::call_off;
pub(crate) use claim::claim_waiting;
pub(crate) use events::code as code_of;
pub(crate) use expire_leases::expire_leases;
pub(crate) use finish::finish_all;
pub(crate) use forget_old::forget_old;
pub(crate) use hearing::Hearing;
pub(crate) use renew::{Renewals, flush_renewals};
pub(crate) use routes::traceparent;
pub(crate) use submit::enter;
pub(crate) use terms::{Terms, terms, terms_of_any_class};
pub(crate) use together::Together;
pub(crate) use wake_due::WakeDue;
