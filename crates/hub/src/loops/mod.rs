//! Recurring work. A loop takes no input: it rereads the world each time, so that a crash, a
//! restart or a second hub needs no special path. Doing it twice equals doing it once.

mod driver;
mod schedule;

pub(crate) use schedule::start_all;
