//! What goes out of the hub to people and their services: mails and webhooks, for whoever has something to say.
//!
//! `mailer` hands mails to the mail server, `caller` calls webhooks, `template` makes texts of templates, and `trouble`
//! says why something did not arrive.

mod caller;
mod mailer;
mod template;
mod trouble;

pub(crate) use caller::CallerError;
pub(crate) use caller::{Call, Caller, SigningKey, address};
pub(crate) use mailer::MailerError;
pub(crate) use mailer::{Letter, Mailer, mailbox};
pub(crate) use template::{engine, render};
pub(crate) use trouble::Trouble;
