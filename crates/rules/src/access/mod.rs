//! Who may do what: `permission` names what can be done, `role` is the one table of who may do it, `grant`
//! says what somebody may give to others, and `need` is what each route declares.

mod grant;
mod need;
mod permission;
mod role;

pub use grant::{Given, may_give};
pub use need::Need;
pub use permission::{Permission, Permissions, UnknownPermission};
pub use role::{Role, permissions_of};
