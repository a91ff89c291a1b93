//! The agent: opens every connection, does what its site's policy allows, and reports.
//!
//! In reading order: `settings` and `policy` say what it may do, `enroll` makes it a node and `identity`
//! is what it then is; `hub` and `line` are its one outbound line, over which `line` takes
//! deliveries; `ledger` remembers over every crash what was accepted, begun, ended and reported;
//! `runner` runs it with `handlers` (`launch` is the small life of a program before it begins, `helper` runs
//! programs as other users), `operations` judges what operators have signed, `logs` tells the hub what they say,
//! `refusals` the site and the hub what was refused; `desired` makes the machine what it should be;
//! `reporter` brings the results home, `reports` facts of the site,
//! `heartbeat` keeps leases alive, `renewal` the certificate, `forgetting` the ledger small; `agent`
//! puts all of it together, and `cli` gives it commands.

mod agent;
mod boot;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
mod data_folder;
mod desired;
#[doc(hidden)]
pub mod doors;
mod enroll;
mod facts;
mod forgetting;
mod handlers;
mod heartbeat;
pub mod helper;
mod hub;
mod identity;
mod launch;
mod ledger;
mod line;
mod logs;
mod operations;
mod policy;
mod refusals;
mod renewal;
mod reporter;
mod reports;
mod runner;
mod settings;

pub use agent::{Agent, AgentBuilder, AgentError};
pub use clock::{Clock, Entropy};
pub use data_folder::FolderError;
pub use enroll::{EnrollError, EnrollOptions, EnrolledNode, enroll};
pub use facts::VERSION;
pub use handlers::{BUILTIN_TYPES, Failure, Handler, HandlerFuture, Output, Work, unusable_programs};
pub use hub::HubError;
pub use identity::{Identity, IdentityError, KeyError};
pub use launch::launch_if_asked;
pub use ledger::{CountError, LedgerCounts, LedgerError, count_ledger};
pub use logs::TaskLog;
pub use operations::{
    Given, Member, NotAChain, NotSet, NotTaken, OperatorsOutcome, SetOperators, Unusable, set_operators,
};
pub use policy::{
    Allowed, Applier, BadAddress, Command, DEFAULT_TOML as DEFAULT_POLICY_TOML, Desired, Forbidden, Handling,
    HostReboot, Kind, Policy, PolicyError, ReportProgram, Reports, Root, Roots, Service, ServiceRestart,
};
pub use refusals::{Refusal, RefusedThing, read_refusals};
pub use settings::{DEFAULT_TOML, LogFormat, LogLevel, ProxySettings, Settings, UnreadableFile};
