//! What stories are told with: real programs, started in a temporary folder of the story's own, and
//! looked at from outside.
//!
//! A story begins with a [`Scene`]. It starts the hub ([`RunningHub`]) and enrols sites ([`Site`]),
//! whose agents run as processes too ([`RunningAgent`]). People's calls go through the client's
//! `people::Hub`, requests that no client would send through [`Request`], and a node whose every
//! word the story chooses is a [`HandNode`]. [`until`] waits for a state; nothing waits for a time.

#![expect(clippy::print_stdout, reason = "the seed and the logs of a story that failed are for the person who runs it")]

mod answer;
mod authority;
mod browser;
mod calls;
mod command_line;
mod edge;
mod engine;
mod hand_node;
mod hand_set;
mod home;
mod http_head;
mod hub;
mod nats_operator;
mod net;
mod operator;
mod ports;
mod process;
mod program;
mod request;
mod scene;
mod seed;
mod site;
mod sql;
mod tls;
mod trace_sink;
mod turns;
mod wait;
mod web_proxy;

pub use answer::Answer;
pub use authority::Authority;
pub use browser::Browser;
pub use calls::{Calls, was_killed};
pub use edge::{Edge, EdgeCall, Mood};
pub use engine::Engine;
pub use hand_node::{HandNode, certificate_request};
pub use hand_set::HandSet;
pub use home::Home;
pub use hub::{HubPlan, RunningHub, now};
pub use nats_operator::{NatsOperator, NatsUser};
pub use net::Net;
pub use operator::{Operator, signed_set, signed_statement, statement_of};
pub use process::Process;
pub use program::{Ended, Program, as_daemon};
pub use request::{As, Request};
pub use scene::Scene;
pub use seed::Seed;
pub use site::{RunningAgent, Site};
pub use tls::TlsLine;
pub use trace_sink::{Post, TraceSink};
pub use turns::{looks_again, turns};
pub use wait::{until, until_within};
pub use web_proxy::{Lets, WebProxy};
