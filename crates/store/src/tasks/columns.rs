//! A task's state as columns, and back. The schema's checks hold the same rules.

use sortie_rules::tasks::{Code, EndedBy, State, Status, Task};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Columns;

/// The columns that differ from state to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StateColumns<'a> {
    pub(super) status: &'static str,
    pub(super) not_before: Option<Millis>,
    pub(super) lease_until: Option<Millis>,
    pub(super) cancel_asked: bool,
    pub(super) code: Option<&'a str>,
    pub(super) ended_by: Option<&'static str>,
}

pub(super) fn of(state: &State) -> StateColumns<'_> {
    let bare = StateColumns {
        status: state.status().as_str(),
        not_before: None,
        lease_until: None,
        cancel_asked: false,
        code: None,
        ended_by: None,
    };
    match state {
        State::Pending { not_before } => StateColumns { not_before: *not_before, ..bare },
        State::InProgress { lease_until, cancel_asked } => {
            StateColumns { lease_until: Some(*lease_until), cancel_asked: *cancel_asked, ..bare }
        }
        State::Completed | State::Expired => bare,
        State::Failed { code, by } => StateColumns { code: Some(&code.0), ended_by: Some(word(*by)), ..bare },
        State::Rejected { code } => StateColumns { code: Some(&code.0), ..bare },
        State::Cancelled { by } => StateColumns { ended_by: Some(word(*by)), ..bare },
    }
}

const fn word(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Agent => "agent",
        EndedBy::Hub => "hub",
    }
}

fn parse_ended_by(text: &str) -> Option<EndedBy> {
    [EndedBy::Agent, EndedBy::Hub].into_iter().find(|by| word(*by) == text)
}

/// The columns of a task's life, in the order in which [`read`] takes them.
macro_rules! life_columns {
    () => {
        "status, attempt, run, retries, retries_max, lease_ms, not_before, not_after, lease_until, cancel_asked, \
         code, ended_by"
    };
}
pub(super) use life_columns;

pub(super) fn read(row: &mut Columns) -> Result<Task, StoreError> {
    let status = row.word("status", Status::parse)?;
    let attempt = row.number("attempt")?;
    let run = row.number("run")?;
    let retries = row.number("retries")?;
    let retries_max = row.number("retries_max")?;
    let lease = row.span("lease_ms")?;
    let not_before = row.millis_or_none("not_before")?;
    let not_after = row.millis_or_none("not_after")?;
    let lease_until = row.millis_or_none("lease_until")?;
    let cancel_asked = row.flag("cancel_asked")?;
    let code = row.text_or_none("code")?.map(Code);
    let ended_by = match row.text_or_none("ended_by")? {
        None => None,
        Some(text) => Some(parse_ended_by(&text).ok_or_else(|| row.corrupt("ended_by", "is an unknown word"))?),
    };
    let missing = |column| row.corrupt(column, format!("is null in a task that is {}", status.as_str()));
    let state = match status {
        Status::Pending => State::Pending { not_before },
        Status::InProgress => {
            State::InProgress { lease_until: lease_until.ok_or_else(|| missing("lease_until"))?, cancel_asked }
        }
        Status::Completed => State::Completed,
        Status::Failed => State::Failed {
            code: code.ok_or_else(|| missing("code"))?,
            by: ended_by.ok_or_else(|| missing("ended_by"))?,
        },
        Status::Rejected => State::Rejected { code: code.ok_or_else(|| missing("code"))? },
        Status::Cancelled => State::Cancelled { by: ended_by.ok_or_else(|| missing("ended_by"))? },
        Status::Expired => State::Expired,
    };
    Ok(Task { state, attempt, run, retries, retries_max, lease, not_after })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sortie_rules::time::Span;

    use super::*;
    use crate::row::{Cell, Cells, Row};

    fn any_state() -> impl Strategy<Value = State> {
        let code = "[a-z_]{1,12}".prop_map(Code);
        let by = prop_oneof![Just(EndedBy::Agent), Just(EndedBy::Hub)];
        prop_oneof![
            any::<Option<i64>>().prop_map(|at| State::Pending { not_before: at.map(Millis) }),
            any::<(i64, bool)>()
                .prop_map(|(at, cancel_asked)| State::InProgress { lease_until: Millis(at), cancel_asked }),
            Just(State::Completed),
            (code.clone(), by.clone()).prop_map(|(code, by)| State::Failed { code, by }),
            code.prop_map(|code| State::Rejected { code }),
            by.prop_map(|by| State::Cancelled { by }),
            Just(State::Expired),
        ]
    }

    fn row_of(task: &Task) -> Row {
        let columns = of(&task.state);
        let int = |number: Option<i64>| number.map_or(Cell::Null, Cell::Int);
        let text = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
        Row(Cells::Sqlite(vec![
            text(Some(columns.status)),
            Cell::Int(task.attempt.into()),
            Cell::Int(task.run.into()),
            Cell::Int(task.retries.into()),
            Cell::Int(task.retries_max.into()),
            Cell::Int(task.lease.0),
            int(columns.not_before.map(|at| at.0)),
            int(task.not_after.map(|at| at.0)),
            int(columns.lease_until.map(|at| at.0)),
            Cell::Int(columns.cancel_asked.into()),
            text(columns.code),
            text(columns.ended_by),
        ]))
    }

    proptest! {
        #[test]
        fn a_task_is_read_back_as_it_was_written(
            state in any_state(), attempt: u32, run: u32, retries: u32, retries_max: u32, lease: i64,
            not_after: Option<i64>,
        ) {
            let not_after = not_after.map(Millis);
            let task = Task { state, attempt, run, retries, retries_max, lease: Span(lease), not_after };
            prop_assert_eq!(read(&mut row_of(&task).columns("tasks")), Ok(task));
        }
    }

    #[test]
    fn a_row_without_what_its_state_needs_names_the_column() {
        for (status, column) in
            [("in_progress", "lease_until"), ("failed", "code"), ("rejected", "code"), ("cancelled", "ended_by")]
        {
            let mut cells: Vec<Cell> = (0..12).map(|_| Cell::Int(0)).collect();
            cells[0] = Cell::Text(status.to_owned());
            for at in [6, 7, 8, 10, 11] {
                cells[at] = Cell::Null;
            }
            let refusal = read(&mut Row(Cells::Sqlite(cells)).columns("tasks")).unwrap_err();
            assert!(matches!(refusal, StoreError::Corrupt { table: "tasks", column: c, .. } if c == column));
        }
    }
}
