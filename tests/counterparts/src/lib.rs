//! Real counterparts for tests: servers that the hub talks to, started by the test and gone with it.
//!
//! `postgres` is a private PostgreSQL server, `orthanc` an imaging server, `smtp_sink` a mail server,
//! `webhook_receiver` one that judges webhooks; `python` runs what comes from PyPI.

mod orthanc;
mod ports;
mod postgres;
mod python;
mod smtp_sink;
mod webhook_receiver;

pub use orthanc::Orthanc;
pub use ports::free_port;
pub use postgres::Postgres;
pub use python::{REQUIREMENTS, python_folder};
pub use smtp_sink::{SmtpPlan, SmtpSink};
pub use webhook_receiver::WebhookReceiver;
