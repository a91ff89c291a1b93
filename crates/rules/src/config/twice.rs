//! Which key or table a file has twice, and where it stood first. The reader of TOML only says where the second one is.

use toml::de::{DeTable, DeValue};

use super::load::lines_of_keys;

/// What stands twice in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twice {
    /// As it is written: a dotted key, or a table in brackets.
    pub(super) what: String,
    /// The line on which it stood first, from 1.
    pub(super) first: usize,
}

/// What stands a second time at `offset`; nothing if that cannot be told.
pub(super) fn twice(text: &str, offset: usize) -> Option<Twice> {
    let start = text.get(..offset)?.rfind('\n').map_or(0, |newline| newline + 1);
    let (before, line) = (&text[..start], text[start..].lines().next()?);
    let lines = lines_of_keys(before)?;
    let (key, is_table) = match table_of(line) {
        Some(table) => (table, true),
        None => {
            let table = before.lines().rev().find_map(table_of).unwrap_or_default();
            let own = path_of(&format!("{} = 0", line.split_once('=')?.0))?;
            (table.into_iter().chain(own).collect(), false)
        }
    };
    let dotted = key.join(".");
    let what = if is_table { format!("[{dotted}]") } else { dotted };
    Some(Twice { what, first: *lines.get(&key)? })
}

/// The table that a line begins, if it begins one.
fn table_of(line: &str) -> Option<Vec<String>> {
    if line.trim_start().starts_with('[') { path_of(line) } else { None }
}

/// The one key, with all that it leads through, of a text that has no other.
fn path_of(text: &str) -> Option<Vec<String>> {
    let whole = DeTable::parse(text).ok()?;
    let (mut path, mut table) = (Vec::new(), whole.get_ref());
    loop {
        let Some((key, value)) = table.iter().next() else { return Some(path) };
        path.push(key.get_ref().clone().into_owned());
        table = match value.get_ref() {
            DeValue::Table(inner) => inner,
            DeValue::Array(items) => match items.iter().next().map(|item| item.get_ref()) {
                Some(DeValue::Table(inner)) => inner,
                _ => return Some(path),
            },
            _ => return Some(path),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, usize)> {
        let error = DeTable::parse(text).unwrap_err();
        twice(text, error.span().unwrap().start).map(|twice| (twice.what, twice.first))
    }

    #[test]
    fn what_stands_twice_is_named_with_the_line_of_the_first() {
        for (text, what, first) in [
            ("# a\n[desired]\nkinds = []\n\n[other]\n[desired]\n", "[desired]", 2),
            (
                "[appliers.\"storage.policy\"]\na = 1\n[x]\n  [appliers.\"storage.policy\"] # again\n",
                "[appliers.storage.policy]",
                1,
            ),
            ("a = 1\nb = 2\na = 3", "a", 1),
            ("[t]\nlist = [\n  [1],\n]\nx = 1\nx = 2", "t.x", 5),
            ("[t]\nx.y = 1\nx.y = 2", "t.x.y", 2),
            ("[[rows]]\na = 1\n[rows]\n", "[rows]", 1),
        ] {
            assert_eq!(found(text), Some((what.to_owned(), first)), "{text}");
        }
        assert_eq!(found("a = { b = 1, b = 2 }"), None, "within one line");
        assert_eq!(twice("a", 99), None);
    }
}
