//! Who the agent is: its key, which never leaves the machine, and what the hub gave it for that key.
//!
//! `key` makes the key and signs requests with it; `stored` keeps the whole identity in the data
//! folder and reads it back. Nothing here is ever deleted, whatever the hub answers.

mod key;
mod stored;

pub use key::KeyError;
pub(crate) use key::NodeKey;
pub use stored::{Identity, IdentityError};
pub(crate) use stored::{NodeRecord, write_record};
