//! Reports: facts of the site that the hub is told, without having asked. `facts` tells what the agent knows of its
//! machine, `programs` runs what the policy names, `outbox` holds what is to be sent, the newest of each, and `send`
//! sends it. `all` runs the three loops.

mod all;
mod facts;
mod outbox;
mod programs;
mod send;

pub(crate) use all::Reports;
pub(crate) use outbox::Outbox;
