//! Jobs: one request for many nodes, so many at a time, stopped, paused, called off, and never lost or
//! doubled, whatever becomes of the hub in the middle of it.

mod commands;
mod fan_out;
mod help;
mod limits;
mod refused;
mod steering;
