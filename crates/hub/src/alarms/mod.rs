//! Alarms: what is wrong, told once, from its beginning to its end (decision 0033).
//!
//! `rules` knows by which rules an org judges: the hub's own, those of packs, and what the org says itself. `follow` is
//! the leader's loop: it reads events page by page and judges them, looks at what time changes (`due`), and ends what
//! was judged by rules that are no more (`outdated`). `facts` judges reports as they come. All of them write through a
//! `sheet`, which knows what is live and what became of it. `change`, `list` and `routes` are for people, `forget`
//! removes what was over long ago.

mod change;
mod due;
mod facts;
mod follow;
mod forget;
mod list;
mod memory;
mod outdated;
mod page;
pub(crate) mod routes;
mod rules;
mod sheet;

pub(crate) use facts::{Judged, judge};
pub(crate) use follow::{begin, follow};
pub(crate) use forget::forget;
pub(crate) use memory::Alarms;
pub(crate) use rules::PackRule;
