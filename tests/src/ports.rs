//! Ports for hubs that stop and start again on the same address.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::{Mutex, PoisonError};

use crate::Seed;

/// Below the ports that the system gives to outgoing connections, so that none of them takes a
/// hub's port while the hub is away.
const FIRST: u16 = 10_000;
const LAST: u16 = 32_000;

/// The ports of this process's stories. The system takes them back when it ends, however it does.
static RESERVED: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// A port of 127.0.0.1 that nobody listens on now, and that no other story on this machine is given before this
/// process ends: a hub that is away, or has not begun to listen, keeps it. Chosen by chance and not by the story's
/// seed, for two runs with one seed may go on at the same time.
pub(crate) fn free_port(chance: &Seed) -> u16 {
    let many = u64::from(LAST - FIRST);
    let drawn = std::iter::repeat_with(|| FIRST + u16::try_from(chance.below(many)).expect("it is below LAST"));
    drawn
        .take(1000)
        .find(|port| reserve(*port) && TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of a thousand ports is free")
}

/// Takes a port for this process. A name that only the kernel knows stands for it: one listens there at a time.
fn reserve(port: u16) -> bool {
    let name = SocketAddr::from_abstract_name(format!("sortie story on port {port}")).expect("the name is short");
    let reserved = UnixListener::bind_addr(&name);
    let is_ours = reserved.is_ok();
    RESERVED.lock().unwrap_or_else(PoisonError::into_inner).extend(reserved);
    is_ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once() {
        let port = free_port(&Seed::by_chance());
        assert!(!reserve(port), "it is this process's already");
    }
}
