//! What this site has refused. `list` is for whoever looks after the site: tasks and deliveries, in a file.
//! `tell` says to the hub which deliveries were refused as a whole; of tasks it hears by their results.

mod list;
mod tell;

pub(crate) use list::Refusals;
pub(crate) use list::in_words;
pub use list::{Refusal, RefusedThing, read_refusals};
pub(crate) use tell::Teller;
