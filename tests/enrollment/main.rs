//! How sites come in and are shut out: invites, certificates, revocation, and who may do what.

mod access;
mod certificates;
mod enroll_command;
mod guests;
mod help;
mod impostor;
mod invite_command;
mod invites;
mod key_requests;
mod names;
mod node_command;
mod own_certificate;
mod profiles;
mod proofs;
mod renewal;
mod replacing;
mod revoked_nodes;
mod secrets;
mod strangers;
mod token_command;
mod tokens;
