//! `tasks`: units of work, from submission to the end of their retention.
//!
//! Decisions are made in `sortie_rules::tasks`; here a decision is written down if the task still
//! stands as it was when it was decided. `row` says what a task is as it is read, `columns` turns
//! states into columns and back. Then in the order of a task's life: `submit`, `claim`, `change`,
//! `leases` and `times`, `people` for lists, `counts` for summaries, `retention`
//! for the end.

mod change;
mod claim;
mod columns;
mod counts;
mod leases;
mod people;
mod retention;
mod row;
mod submit;
mod times;

pub use change::{Change, Stamps, update, update_all};
pub use claim::{claim, claim_all, claimable};
pub use counts::{TaskCounts, counts};
pub use leases::{HeldTask, held_by, lapsed, next_lease_end, redeliverable, renew};
pub use people::{TaskFilter, get, list};
pub use retention::delete_finished_before;
pub(crate) use retention::first_id_of;
pub use row::{TaskLife, TaskRow, TaskSummary};
pub use submit::{count_pending, get_any_org, get_life, get_lives, insert, insert_all};
pub use times::{due_between, next_due, next_overdue, overdue};

/// A task of this id stands already.
pub const ID_TAKEN: &str = "tasks_pkey";
