//! Which hub a command speaks to, with which token, and whom it believes.
//!
//! `options` are the arguments that every such command takes, `sources` tries what was given in a
//! fixed order and says what it tried, `profiles` is the file in which people keep their hubs,
//! `sign_in` the one in which a sign-in is kept.

mod options;
mod profiles;
pub(crate) mod sign_in;
mod sources;

pub(crate) use options::HubOptions;
pub(crate) use profiles::{Profile, Profiles, check_profile_name, config_folder, write_private};
pub(crate) use sources::{Found, Kept, Source, find, trust};
