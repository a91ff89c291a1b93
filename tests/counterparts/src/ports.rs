//! Ports for servers of tests.

use std::net::TcpListener;

/// A port of 127.0.0.1 that nobody listens on.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.expect("there is a free port on 127.0.0.1").port()
}
