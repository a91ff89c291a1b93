//! Org settings: read, chosen and reset by key, held to their limits, told in events, kept over crashes, and
//! obeyed from the next request on, at every hub.

mod changes;
mod command;
mod crashes;
mod help;
mod refused;
mod tokens_and_invites;
mod two_hubs;
