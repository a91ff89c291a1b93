//! Several hubs on one database, none of them special: `leader` is who does what needs doing once, `bells` ring for
//! those who wait at another hub. What a hub has in memory follows the events (`events::follow`), and its keys are
//! shared (`identity::safe`).

mod bells;
mod leader;

pub(crate) use bells::{Bell, Beyond, answer_bells};
pub(crate) use leader::{DUTY, Leader};
