//! Counts in a SQLite database, opened for reading only.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use crate::ask::{Ask, Counts};
use crate::fault::Fault;
use crate::suppress::Counted;

/// Counts.
pub(crate) fn count(path: &Path, ask: &Ask, within: Duration, limit: u32) -> Result<Counts, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let away = |error: Error| Fault::Away(format!("{}: {error}", path.display()));
    let connection = Connection::open_with_flags(path, flags).map_err(away)?;
    connection.pragma_update(None, "query_only", true).map_err(away)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(away)?;
    connection.busy_timeout(within).map_err(away)?;
    let (interrupt, is_over) = (connection.get_interrupt_handle(), Arc::new(AtomicBool::new(false)));
    let (done, wait) = mpsc::sync_channel::<()>(1);
    let over = Arc::clone(&is_over);
    let watch = std::thread::spawn(move || {
        if wait.recv_timeout(within) == Err(mpsc::RecvTimeoutError::Timeout) {
            over.store(true, Ordering::SeqCst);
            interrupt.interrupt();
        }
    });
    let counted = count_in(&connection, ask, limit);
    drop(done);
    let _ended = watch.join();
    counted.map_err(|fault| if is_over.load(Ordering::SeqCst) { Fault::TooLong(within.as_secs()) } else { fault })
}

fn count_in(connection: &Connection, ask: &Ask, limit: u32) -> Result<Counts, Fault> {
    // On its own first: what is no whole statement by itself could be one inside of another.
    let alone = connection.prepare(&ask.query).map_err(refused)?;
    if !alone.readonly() {
        return Err(Fault::Query("it would change the database".to_owned()));
    }
    ask.check_columns(alone.column_names())?;
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let total: i64 = connection.query_row(&ask.count_all(), [], |row| row.get(0)).map_err(failed)?;
    let mut counts = Counts { total: number(total), ..Counts::default() };
    for column in &ask.group_by {
        let mut by = connection.prepare(&ask.count_by(column, limit)).map_err(failed)?;
        let rows =
            by.query_map([], |row| Ok(Counted { value: row.get(0)?, count: number(row.get(1)?) })).map_err(failed)?;
        let values = rows.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        counts.by_column.insert(column.clone(), values);
    }
    Ok(counts)
}

fn refused(error: Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::CannotOpen) => {
            Fault::Away(error.to_string())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Fault::Database(error.to_string()),
        _ => Fault::Query(error.to_string()),
    }
}

/// A fault after the first row may have been read.
fn failed(error: Error) -> Fault {
    match refused(error) {
        Fault::Query(_) => Fault::Failed("SQLITE_ERROR".to_owned()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(query: &str, group_by: &[&str]) -> Result<Counts, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("omop.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch(
            "create table patients (id integer, area text, secret text);
             with recursive n(i) as (select 1 union all select i + 1 from n where i < 50)
             insert into patients select i, case when i <= 30 then 'north' else 'south' end, 's' || i from n",
        )
        .unwrap();
        drop(made);
        let payload = serde_json::json!({ "query": query, "group_by": group_by }).to_string();
        let allowed = ["area".to_owned(), "secret".to_owned(), "name".to_owned()];
        count(&path, &Ask::read(&payload, &allowed, None).unwrap(), Duration::from_secs(1), 9)
    }

    #[test]
    fn a_cohort_is_counted_as_a_whole_and_by_column() {
        let counts = counted("select * from patients where id > 5", &["area"]).unwrap();
        assert_eq!(counts.total, 45);
        let areas: Vec<_> = counts.by_column["area"].iter().map(|value| value.count).collect();
        assert_eq!(areas, [25, 20]);
        assert_eq!(
            counted("with x as (select * from patients) select id from x -- all of them", &[]).unwrap().total,
            50
        );
    }

    #[test]
    fn what_is_not_one_select_is_refused() {
        for query in [
            "",
            "delete from patients",
            "select 1; delete from patients",
            "select 1) as x union all select (select count(*) from patients",
            "select 1) as x; delete from patients; --",
            "select * from nowhere",
            "attach 'other.db' as other",
            "pragma query_only = 0",
        ] {
            let fault = counted(query, &[]).unwrap_err();
            assert!(matches!(fault, Fault::Query(_) | Fault::Failed(_)), "{query}: {fault:?}");
        }
        assert!(matches!(counted("select id from patients", &["secret"]), Err(Fault::NoColumn(_))));
    }

    #[test]
    fn a_fault_at_a_row_tells_nothing_of_it() {
        let fault = counted("select id from patients where json_extract('{}', secret) is null", &[]).unwrap_err();
        assert!(matches!(&fault, Fault::Failed(_)) && !fault.to_string().contains("s1"), "{fault}");
    }

    #[test]
    fn what_takes_too_long_is_broken_off() {
        let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
        assert!(matches!(counted(endless, &[]), Err(Fault::TooLong(1))));
    }

    #[test]
    fn a_database_that_is_not_there_is_away() {
        let ask = Ask::read(r#"{"query": "select 1"}"#, &[], None).unwrap();
        let fault = count(Path::new("/nowhere/at/all.db"), &ask, Duration::from_secs(1), 9).unwrap_err();
        assert!(matches!(fault, Fault::Away(_)), "{fault:?}");
    }
}
