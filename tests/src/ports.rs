//! Ports for hubs that stop and start again on the same address.

use std::net::TcpListener;

use crate::Seed;

/// Below the ports that the system gives to outgoing connections, so that none of them takes a
/// hub's port while the hub is away.
const FIRST: u16 = 10_000;
const LAST: u16 = 32_000;

/// A port of 127.0.0.1 that nobody listens on now. Chosen by chance and not by the story's seed, for
/// two runs with one seed may go on at the same time.
pub(crate) fn free_port(chance: &Seed) -> u16 {
    let many = u64::from(LAST - FIRST);
    let drawn = std::iter::repeat_with(|| FIRST + u16::try_from(chance.below(many)).expect("it is below LAST"));
    drawn
        .take(1000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of a thousand ports is free")
}
