//! Deliveries that agents refused as a whole: kept for each node by reason, and told as events. A hub that
//! is honest sends nothing that is refused, so each of them says that somebody stands in between, or that
//! a clock or a disk is wrong.

mod read;
mod receive;
pub(crate) mod routes;

pub(crate) use read::refused_by;
