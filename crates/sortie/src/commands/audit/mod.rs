//! `sortie audit`: `list` and `head` ask the hub, `export` keeps the chain in a file, and `verify` proves such a
//! file without asking anybody.

mod export;
mod file;
mod head;
mod list;
mod noun;
mod verify;

pub(crate) use noun::{AuditCommand, run};
