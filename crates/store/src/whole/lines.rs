//! How a row is written outside a database: one line of JSON, its values in the order of its columns' names.
//! Text and whole numbers stand for themselves, bytes are an object with their base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use crate::errors::StoreError;
use crate::row::Cell;
use crate::value::Value;

/// The name under which bytes stand.
const BYTES: &str = "bytes";

/// Adds a row as a line.
pub(super) fn write(lines: &mut Vec<u8>, cells: &[Cell]) {
    lines.push(b'[');
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            lines.push(b',');
        }
        let value = match cell {
            Cell::Null => Json::Null,
            Cell::Int(number) => Json::from(*number),
            Cell::Text(text) => Json::from(text.as_str()),
            Cell::Bytes(bytes) => Json::Object(Map::from_iter([(BYTES.to_owned(), STANDARD.encode(bytes).into())])),
        };
        serde_json::to_writer(&mut *lines, &value).expect("a value can be written to memory");
    }
    lines.extend_from_slice(b"]\n");
}

/// Reads lines back, each of so many values.
pub(super) fn read(table: &'static str, lines: &[u8], width: usize) -> Result<Vec<Vec<Cell>>, StoreError> {
    let wrong = |why: String| StoreError::Corrupt { table, column: "row", why };
    let mut rows = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let values: Vec<Json> = serde_json::from_slice(line).map_err(|why| wrong(format!("is no row ({why})")))?;
        if values.len() != width {
            return Err(wrong(format!("has {} values and not {width}", values.len())));
        }
        let cells = values.into_iter().map(cell).collect::<Option<Vec<Cell>>>();
        rows.push(cells.ok_or_else(|| wrong("holds a value that is none of a database".to_owned()))?);
    }
    Ok(rows)
}

fn cell(value: Json) -> Option<Cell> {
    match value {
        Json::Null => Some(Cell::Null),
        Json::Number(number) => number.as_i64().map(Cell::Int),
        Json::String(text) => Some(Cell::Text(text)),
        Json::Object(map) if map.len() == 1 => STANDARD.decode(map.get(BYTES)?.as_str()?).ok().map(Cell::Bytes),
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// By what rows are sorted that are read at once.
pub(super) fn sort_key(cell: &Cell) -> Vec<u8> {
    match cell {
        Cell::Null => Vec::new(),
        Cell::Int(number) => number.to_be_bytes().to_vec(),
        Cell::Text(text) => text.as_bytes().to_vec(),
        Cell::Bytes(bytes) => bytes.clone(),
    }
}

/// A cell as a statement takes it.
pub(super) fn value(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Int(*number),
        Cell::Text(text) => Value::Text(text),
        Cell::Bytes(bytes) => Value::Bytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn any_cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Int),
            any::<String>().prop_map(Cell::Text),
            any::<Vec<u8>>().prop_map(Cell::Bytes),
        ]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(rows in vec(vec(any_cell(), 3), 0..5)) {
            let mut lines = Vec::new();
            rows.iter().for_each(|row| write(&mut lines, row));
            let read = read("tasks", &lines, 3).unwrap();
            prop_assert_eq!(format!("{read:?}"), format!("{rows:?}"));
        }
    }

    #[test]
    fn a_line_that_is_no_row_is_refused() {
        for line in ["[1,2]", "[1,2,true]", "[1,2,{\"bytes\":\"?\"}]", "[1,2,1.5]", "{}", "[1,2,3"] {
            assert!(matches!(read("tasks", line.as_bytes(), 3), Err(StoreError::Corrupt { .. })), "{line}");
        }
    }
}
