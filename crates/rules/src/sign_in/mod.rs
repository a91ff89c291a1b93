//! Signing in with a provider: which algorithms may sign, and what the claims of a token must say before
//! its bearer is somebody here. The signature itself is checked at the edge.

mod algorithm;
mod claims;
mod clean;
mod device;

pub use algorithm::{Algorithm, KeyKind};
pub use claims::{Expected, Identity, OrgWhenAbsent, Refusal, judge};
pub use clean::clean_name;
pub use device::{AfterPoll, after_poll, first_pause, is_due};
