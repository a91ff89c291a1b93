//! Operations as the site sees them: privileged work that operators have signed, and who they are.
//!
//! `known` is the file of the operators whom this site believes, `follow` what a chain of their sets
//! changes in it, `set` how somebody at the site gives or looks at them. `standing` keeps the set as new as
//! the hub says that one is; `time` is the clock by which operations are judged, and `verify` the site's
//! word on one of them.

mod follow;
mod known;
mod set;
mod standing;
#[cfg(test)]
mod tests;
mod time;
mod verify;

pub use follow::NotTaken;
pub(crate) use follow::follow;
pub use known::Unusable;
pub(crate) use known::{Known, change};
pub use set::{Given, Member, NotAChain, NotSet, OperatorsOutcome, SetOperators, set_operators};
pub(crate) use set::{fetch, take_chain};
pub(crate) use standing::{Following, Standing};
pub(crate) use time::OperationTime;
pub(crate) use verify::{Bearer, Borne, Site, Verified, borne, open, replayed, unusable};
