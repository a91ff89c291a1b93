//! Desired state: people publish what nodes should be, each agent brings itself there and tells how it stands; what
//! drifts is corrected, what fails is told, what is secret stays so, what is not the node's is enforced by the hub, and
//! a crash or a cut line on either side changes nothing of that.

mod at_edge;
mod away;
mod by_command;
mod clocks;
mod converging;
mod crashes;
mod data;
mod drifting;
mod edge_trouble;
mod enforced;
mod forgotten;
mod help;
mod kept_back;
mod refused;
mod reporting;
mod restored;
mod sent;
mod signed;
mod sites;
mod staged;
mod standings;
mod storage;
mod told;
