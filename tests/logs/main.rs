//! What handlers say while they run: it reaches people in a moment, whole, and without secrets.

mod events;
mod help;
mod limits;
mod lines;
mod pieces;
mod secrets;
