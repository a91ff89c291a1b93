//! Who may do what: `permission` names what can be done, `role` is the one table of who may do it, `grant`
//! says what somebody may give to others, `keepers` who is left to keep an org, and `need` is what each route declares.

mod grant;
mod keepers;
mod need;
mod permission;
mod role;

pub use grant::{Given, may_give};
pub use keepers::{Keeper, Keepers, Last, is_last};
pub use need::Need;
pub use permission::{Permission, Permissions, UnknownPermission};
pub use role::{Role, permissions_of};
