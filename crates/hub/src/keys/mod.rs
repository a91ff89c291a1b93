//! The hub's keys as they change: what administrators see (`show`), begin (`rotate`) and end (`finish`), what
//! goes on by itself (`advance`), what nodes say they have heard (`heard`), who has not (`tell_lag`), and
//! what follows every change (`apply`: TLS, events, and a word to each node that waits). `reread` serves an operator's
//! certificate that was replaced. What a ring of keys may become is decided in `sortie_rules::rotation`, and kept by
//! `identity::ring`.

mod advance;
mod apply;
mod finish;
mod heard;
mod reread;
mod rotate;
pub(crate) mod routes;
mod show;
mod tell_lag;

pub(crate) use advance::advance;
pub(crate) use apply::{is_not_older_than_the_store, record_steps};
pub(crate) use heard::heard_of;
pub(crate) use reread::{reread_given, reread_ring};
pub(crate) use show::needed;
pub(crate) use tell_lag::tell_lag;
