//! People and services: who is asking, with which role, and the API tokens that say so.

mod authenticate;
mod create_token;
mod list_tokens;
mod principal;
mod revoke_token;
pub(crate) mod routes;

pub(crate) use authenticate::{TOKEN_PREFIX, TokenCache, authenticate, still_holds};
pub(crate) use create_token::create as create_token;
pub(crate) use principal::{Principal, holds};
