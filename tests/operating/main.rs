//! Operating a hub: backups and what is made of them, moving from one engine to the other, upgrades, and what a
//! balancer is told.

mod backups;
mod copying;
mod cut_short;
mod migrating;
mod readiness;
mod restores;
mod rolling;
mod samples;
mod setup;
