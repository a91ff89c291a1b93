//! How nodes prove who they are without a certificate: `assertion` reads what a request brings and holds it
//! against the request, `used` sees to it that each counts once, `body` that the body is the one that was
//! meant, `seal` signs what is answered.

mod assertion;
mod body;
mod seal;
mod used;

pub(crate) use assertion::{Shown, brought, claims, verify};
pub(crate) use body::{BodyHash, OtherBody, bound, hash_of, is_another};
pub(crate) use seal::{SealedFor, seal};
pub(crate) use used::Used;
