//! The pack `imaging-trust` as it is shipped, at a hub, with a site whose policy is the pack's own example:
//! a real database, a real imaging server, a real mail server.

mod cohorts;
mod help;
mod imaging;
