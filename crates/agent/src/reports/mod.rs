//! Reports: facts of the site that the hub is told, without having asked. `facts` tells what the agent knows of its
//! machine, `programs` runs what the policy names, `outbox` holds what is to be sent, the newest of each, and `send`
//! sends it. `tell` tells events of backups besides, which are kept until the hub has them. `all` runs the loops.

mod all;
mod facts;
mod outbox;
mod programs;
mod send;
mod tell;

pub(crate) use all::Reports;
pub(crate) use outbox::Outbox;
pub(crate) use tell::Telling;
