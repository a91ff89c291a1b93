//! How requests come in and answers go out: the TLS listener, what every request passes through,
//! extractors that refuse with a problem, the need that each route declares, and the documents
//! that describe them all.

mod body;
mod cookies;
pub(crate) mod docs;
pub(crate) mod documents;
mod doors;
mod extract;
mod frame;
mod guard;
mod handshakes;
mod listener;
mod newcomers;
mod once;
mod operations;
mod page;
mod protocols;
mod rates;
mod readiness;
mod router;
mod streams;
mod to_the_end;
mod trace;

pub(crate) use cookies::cookie;
pub(crate) use extract::{Body, BodyOrNone, PathOf, QueryOf};
pub(crate) use frame::CorrelationId;
pub(crate) use guard::NodeCaller;
pub(crate) use listener::{Listening, listen, serve};
pub(crate) use once::Once;
pub(crate) use operations::{install_metrics, serve_operations};
pub(crate) use page::{PageQuery, page, page_size};
pub(crate) use rates::Rates;
pub(crate) use readiness::Readiness;
pub(crate) use router::{Audience, Routes, routes_of};
pub(crate) use streams::{Seat, Seats, last_event_id, still_here};
pub(crate) use to_the_end::to_the_end;
