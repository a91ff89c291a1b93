//! Operating a hub: backups and what is made of them, moving from one engine to the other, upgrades, what a balancer is
//! told, and the samples under `deploy/`.

mod backups;
mod balancer;
mod callers;
mod compose;
mod copying;
mod cut_short;
mod migrating;
mod readiness;
mod restores;
mod rolling;
mod samples;
mod setup;
mod watching;
