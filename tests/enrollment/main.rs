//! How sites come in and are shut out: invites, certificates, revocation, and who may do what.

mod certificates;
mod enroll_command;
mod help;
mod invites;
mod key_requests;
mod names;
