//! Operations at the hub: proposed, signed by operators on machines of their own, handed out with what was
//! signed, and the sets of operators that sites follow.

mod commands;
mod drafts;
mod ends;
mod help;
mod operators;
mod refused;
mod signed;
mod ssh_agent;
mod two_hubs;
