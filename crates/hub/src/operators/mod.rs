//! The sets of operators that sites may follow: the hub keeps and hands on what operators signed, and can
//! make none of it. What it checks here only spares people a refusal at the site.
//!
//! `publish` takes the next set, `read` shows and hands them on, `published` remembers the newest version of
//! each org, which every delivery names.

mod publish;
mod published;
mod read;
pub(crate) mod routes;

pub(crate) use published::Published;
pub(crate) use read::newest;
