//! The machine's clock and the operating system's randomness, chosen once for all that this program
//! starts. They are the hub's own, in the shape that the client takes them.

use sortie_client::{Clock, Entropy};

/// The machine's clock.
pub(crate) fn system() -> Clock {
    let clock = sortie_hub::clock::Clock::system();
    Clock::new(move || clock.now())
}

/// The operating system's randomness.
pub(crate) fn entropy() -> Entropy {
    let source = sortie_hub::clock::Entropy::default();
    Entropy::new(move |buffer| {
        for chunk in buffer.chunks_mut(16) {
            chunk.copy_from_slice(&source.bytes::<16>()[..chunk.len()]);
        }
    })
}
