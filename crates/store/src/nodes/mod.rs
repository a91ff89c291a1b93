//! `nodes`: one row per enrolled agent.
//!
//! A node is stored in three parts that are written at different times: what was decided about it
//! (`nodes`: intent), what the hub notes while it hears it (`node_signs`: facts, written in
//! batches), and what it says of itself (`node_facts`). A [`NodeRow`] is all three. `row` reads
//! it, `list` finds many and `people` serves what people change, `identity` enrolment and keys, `signs` presence,
//! `line` the numbering of deliveries, `counts` how many stand where, `standings` how many are
//! not in order, `hosts` who lives on whom.

mod counts;
mod hosts;
mod identity;
mod line;
mod list;
mod people;
mod row;
mod signs;
mod standings;

pub use counts::{NodeCounts, count_at_site, counts};
pub use hosts::{guests, hold};
pub use identity::{
    EndingRow, certificates_ending, get_any_org, insert, quarantine, readmit, replace_key, revoke, set_certificate,
    set_certificate_told, set_facts, set_key,
};
pub use line::{LineRow, Numbered, arrive, line, set_line};
pub use list::{NodeFilter, list};
pub use people::{
    Selectable, all_for_selection, count, get, get_by_name, get_for_selection, list_for_selection, set_intent,
};
pub use row::{HostRow, NodeIntent, NodeRow};
pub use signs::{
    PresenceRow, flush_heard, move_silence, presence_all, set_clock, set_presence, set_proof, skip_absence,
};
pub use standings::{OutOfOrder, count_out_of_order};

/// A node of this id stands already.
pub const ID_TAKEN: &str = "nodes_pkey";
/// A node of this name stands in the org already.
pub const NAME_TAKEN: &str = "nodes_name";
