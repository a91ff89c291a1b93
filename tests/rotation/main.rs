//! The hub's keys and its authority rotate, and nobody is lost: a fleet at work, agents that slept, hubs and
//! agents that die in the middle, and hubs that lie.

mod audit;
mod certificates;
mod command;
mod crashes;
mod fleet;
mod helper;
mod impostor;
mod lies;
mod people;
mod sleepers;
mod steps;
