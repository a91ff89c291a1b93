//! How agents come in: an operator makes an invite, an agent redeems it for a certificate and
//! renews that at half its life.

mod create_invite;
mod enroll;
mod holder;
mod invites;
mod renew;
pub(crate) mod routes;

pub(crate) use holder::{InviteHolder, invite_holder};
