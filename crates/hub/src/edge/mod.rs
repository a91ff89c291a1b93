//! The edge: the service in front of customers' boxes, by whose names they are reached. It keeps rules for the hub,
//! which calls it as Cloudflare's API is called (zones, and the rulesets of their phases).
//!
//! There are two verbs: `look` reads the rules of a zone, and `change` makes, puts and removes single ones, so that
//! what others have there is never written. `words` says a rule in the edge's own words and marks whose it is; `call`
//! makes one request, within its limits; `settings` says where.

mod call;
mod change;
mod look;
mod settings;
mod words;

pub(crate) use call::Edge;
pub(crate) use change::change;
pub(crate) use look::look;
pub use settings::EdgeSettings;
pub(crate) use words::{Owner, mark, rule};
