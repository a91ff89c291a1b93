//! The identity provider: people sign in there and come with its tokens, which are checked here against
//! its keys, without asking it anything. No token of it counts before its signature, its claims and the list
//! of denied ones have been looked at; and the provider may be away for all of that.

mod cache;
mod client;
mod code_flow;
pub(crate) mod code_routes;
mod code_state;
mod denied;
mod deny;
mod describe;
mod discovery;
mod keys;
mod log_out;
mod refresh;
pub(crate) mod routes;
mod settings;
mod verify;

pub(crate) use client::{Provider, ProviderError};
pub(crate) use denied::Denied;
pub use settings::OidcSettings;
pub(crate) use verify::ProviderToken;
pub(super) use verify::authenticate;
