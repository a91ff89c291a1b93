//! `sortie doctor`: what stands between here and the hub, looked at in the order in which a call
//! meets it, and what to do about each.
//!
//! `run` puts the table together; `check` is one line of it; `way` reads an address and tells
//! whether a proxy is in the way; `line` looks at proxy, name, connection and certificate, `hub` at token and
//! version, `agent_folder` looks at what an agent keeps.

mod agent_folder;
mod check;
mod hub;
mod line;
mod run;
mod way;

pub(crate) use run::{Doctor, run};
