//! The agent as a whole: `builder` puts it together, `error` says why it cannot be, `start` opens
//! what lies on disk (`site`: for what looks after the site beside its tasks), `live` runs its loops
//! until it is told to stop, and ends them in order.

mod builder;
mod error;
mod live;
mod site;
mod start;

pub use builder::{Agent, AgentBuilder};
pub use error::AgentError;
