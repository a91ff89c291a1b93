//! People and services: who is asking, with which role, and the API tokens that say so.

mod authenticate;
mod create_token;
mod holding;
mod keepers;
mod list_tokens;
mod principal;
pub(crate) mod provider;
mod revoke_token;
pub(crate) mod routes;

pub(crate) use authenticate::{TOKEN_PREFIX, TokenCache, authenticate, bearer};
pub(crate) use create_token::{create as create_token, given, shown as shown_token};
pub(crate) use holding::{ended, holds_no_more, still_holds};
pub(crate) use keepers::not_the_last;
pub(crate) use principal::{Principal, Proof, holds};
