//! Resources that no node applies: the hub enforces them at the edge, the service in front of a customer's box.
//!
//! `enforcer` names what of the hub enforces a kind; `geo` reads how rules by country should be; `difference` says what
//! is to be changed at the edge so that one owner's rules are these and everybody else's stay; `life` is what becomes
//! of one enforcement: what is wanted, what was applied, what is to be done, and when again.

mod difference;
mod enforcer;
mod geo;
mod life;

pub use difference::{EdgeChange, EdgeRule, FoundRule, changes};
pub use enforcer::Enforcer;
pub use geo::{BadSpec, GeoMode, GeoRules, read_geo};
pub use life::{Enforcement, Failure, News, Next, Step, Tried, after, begin, noted, step};
