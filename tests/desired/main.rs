//! Desired state: people publish what nodes should be, each agent brings itself there and tells how it stands; what
//! drifts is corrected, what fails is told, what is secret stays so, and a crash or a cut line on either side changes
//! nothing of that.

mod away;
mod by_command;
mod clocks;
mod converging;
mod crashes;
mod data;
mod drifting;
mod forgotten;
mod help;
mod kept_back;
mod refused;
mod reporting;
mod restored;
mod signed;
mod staged;
mod storage;
