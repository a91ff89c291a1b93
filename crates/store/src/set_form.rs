//! PostgreSQL only: one statement for many rows of values, made from the statement for one.
//!
//! A text such as `update tasks set lease_until = $2 where id = $1` is written once, for one row. Run for a
//! hundred rows it costs the server a hundred statements; in its set form, where each parameter is a column of
//! a table that travels with the statement, it costs one. SQLite runs the text row by row, which costs it
//! nothing.

use std::fmt::Write;

/// The type of a column, as the server names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Int,
    Text,
    Bytes,
}

impl ColumnType {
    const fn array(self) -> &'static str {
        match self {
            ColumnType::Int => "bigint[]",
            ColumnType::Text => "text[]",
            ColumnType::Bytes => "bytea[]",
        }
    }
}

/// The set form of an `insert … values`, of an `update … where`, of a `delete from … where` or of a
/// `select … from TABLE where`, whose parameters have these types. `None` for a text that is none of these, or in
/// which two rows could change one (`on conflict … do update`).
pub(crate) fn set_form(sql: &str, types: &[ColumnType]) -> Option<String> {
    if types.is_empty() || sql.contains("do update") {
        return None;
    }
    let given = given(types, false);
    if sql.starts_with("insert into ") {
        let (head, rest) = sql.split_once("values (")?;
        let (values, tail) = rest.split_once(')')?;
        return Some(format!("{head}select {} from {given}{tail}", columns(values)));
    }
    joined(sql, &given)
}

/// The set form of an update or a deletion that returns the place, from 1, of each row of values that met a row of
/// the table.
pub(crate) fn telling_set_form(sql: &str, types: &[ColumnType]) -> Option<String> {
    let changes = ["update ", "delete from "].iter().any(|begin| sql.starts_with(begin));
    let form = (changes && !types.is_empty()).then(|| joined(sql, &given(types, true)))??;
    Some(form + " returning given.place")
}

fn joined(sql: &str, given: &str) -> Option<String> {
    let (head, condition) = at_where(sql)?;
    let link = match sql.split_whitespace().next()? {
        "update" => " from ",
        "delete" => " using ",
        "select" => ", ",
        _ => return None,
    };
    Some(format!("{}{link}{given} {}", columns(head), columns(condition)))
}

/// The text in two, the second part beginning with its first `where`.
fn at_where(sql: &str) -> Option<(&str, &str)> {
    let at = sql.find("where ").filter(|at| sql[..*at].ends_with([' ', '\n']))?;
    Some((sql[..at].trim_end(), &sql[at..]))
}

/// The table of values that travels with the statement.
fn given(types: &[ColumnType], with_places: bool) -> String {
    let (mut arrays, mut names) = (String::new(), String::new());
    for (number, kind) in (1..).zip(types) {
        let comma = if number == 1 { "" } else { ", " };
        write!(arrays, "{comma}${number}::{}", kind.array()).expect("writing to a String never fails");
        write!(names, "{comma}p{number}").expect("writing to a String never fails");
    }
    match with_places {
        true => format!("unnest({arrays}) with ordinality as given ({names}, place)"),
        false => format!("unnest({arrays}) as given ({names})"),
    }
}

/// The text with each parameter named as the column that it has become.
fn columns(sql: &str) -> String {
    sql.replace('$', "given.p")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [ColumnType; 2] = [ColumnType::Text, ColumnType::Int];

    #[test]
    fn an_insert_takes_its_rows_from_the_table_that_travels() {
        let one = "insert into meta (key, value, kind) values ($1, $2, 'x')";
        let many = "insert into meta (key, value, kind) select given.p1, given.p2, 'x' from \
                    unnest($1::text[], $2::bigint[]) as given (p1, p2)";
        assert_eq!(set_form(one, &TYPES).as_deref(), Some(many));
        let tail = " on conflict (key) do nothing returning key";
        assert_eq!(set_form(&format!("{one}{tail}"), &TYPES), Some(format!("{many}{tail}")));
    }

    #[test]
    fn an_update_joins_it() {
        let one = "update tasks set at = $2\n        where id = $1 and at < $2 returning id";
        let many = "update tasks set at = given.p2 from unnest($1::text[], $2::bigint[]) as given (p1, p2) \
                    where id = given.p1 and at < given.p2 returning id";
        assert_eq!(set_form(one, &TYPES).as_deref(), Some(many));
    }

    #[test]
    fn a_select_joins_it() {
        let many = "select id from tasks, unnest($1::text[]) as given (p1) where id = given.p1";
        assert_eq!(set_form("select id from tasks where id = $1", &TYPES[..1]).as_deref(), Some(many));
    }

    #[test]
    fn a_change_can_tell_where_it_was_made() {
        let one = "update tasks set at = $2 where id = $1";
        let many = "update tasks set at = given.p2 from unnest($1::text[], $2::bigint[]) with ordinality as \
                    given (p1, p2, place) where id = given.p1 returning given.place";
        assert_eq!(telling_set_form(one, &TYPES).as_deref(), Some(many));
        assert_eq!(telling_set_form("select id from tasks where id = $1", &TYPES), None);
    }

    #[test]
    fn a_delete_uses_it() {
        let many = "delete from meta using unnest($1::text[]) as given (p1) where key = given.p1";
        assert_eq!(set_form("delete from meta where key = $1", &TYPES[..1]).as_deref(), Some(many));
    }

    #[test]
    fn what_has_no_set_form_has_none() {
        for sql in [
            "insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value",
            "update meta set key = $1",
            "begin",
        ] {
            assert_eq!(set_form(sql, &TYPES), None, "{sql}");
        }
        assert_eq!(set_form("select 1 from meta where key = 'k'", &[]), None);
    }
}
