//! Real counterparts for tests: servers that the hub talks to, started by the test and gone with it.
//!
//! `postgres` is a private PostgreSQL server, `orthanc` an imaging server, `smtp_sink` a mail server,
//! `webhook_receiver` one that judges webhooks, `oidc_provider` one where people sign in, `nginx` a proxy that ends
//! TLS, `haproxy` a balancer that passes it on, `nats` a message broker, `s3_server` an S3-compatible store; `python`
//! runs what comes from PyPI, `node` what comes from npm, and `keeper` the script that ends with its test.

mod folders;
mod haproxy;
mod keeper;
mod nats;
mod nginx;
mod node;
mod oidc_provider;
mod orthanc;
mod ports;
mod postgres;
mod python;
mod s3_server;
mod script;
mod smtp_sink;
mod webhook_receiver;

pub use haproxy::Haproxy;
pub use nats::{Nats, NatsPlan};
pub use nginx::Nginx;
pub use node::{NODE_FILES, node_folder};
pub use oidc_provider::{Forgery, OidcPlan, OidcProvider};
pub use orthanc::Orthanc;
pub use ports::free_port;
pub use postgres::Postgres;
pub use python::{REQUIREMENTS, python_folder};
pub use s3_server::{S3Server, S3Tls};
pub use smtp_sink::{SmtpPlan, SmtpSink};
pub use webhook_receiver::WebhookReceiver;
