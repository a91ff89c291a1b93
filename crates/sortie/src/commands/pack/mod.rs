//! `sortie pack`: folders that add task types. All of it works on files; no hub is asked.

mod check;
mod new;
mod noun;
mod policy;

pub(crate) use noun::{PackCommand, run};
