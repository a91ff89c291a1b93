//! Tables without borders: a header, aligned columns, and nothing that a shell would trip over.

use comfy_table::presets::NOTHING;
use sortie_rules::plain::plain;

use super::colours::Colours;

/// A table in the making.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new<const N: usize>(header: [&'static str; N]) -> Table {
        Table { header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.header.len(), "a row has as many cells as the header");
        // One row is one line, whatever a stranger wrote into a message.
        self.rows.push(cells.map(|cell| plain(&cell)).to_vec());
    }

    /// The lines. On a terminal of `width` columns the last column is cut rather than broken.
    pub(crate) fn lines(&self, colours: Colours, width: Option<usize>) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_header(self.header.iter().map(|title| title.to_uppercase()));
        for row in &self.rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let widths: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
        let plain = table.lines().map(|line| cut(line.trim_end(), width)).collect::<Vec<_>>();
        let rows = std::iter::once(None).chain(self.rows.iter().map(Some));
        plain
            .into_iter()
            .zip(rows)
            .map(|(line, row)| match row {
                None => colours.dim(&line),
                Some(row) => coloured(&line, row, &widths, colours),
            })
            .collect()
    }
}

/// The line with the words that have a tone in their tone. Colouring comes after the layout, since
/// escapes have no width; a cell that is not where it is looked for stays plain.
fn coloured(line: &str, row: &[String], widths: &[usize], colours: Colours) -> String {
    let mut out = line.to_owned();
    let starts = widths.iter().scan(0, |at, width| {
        let start = *at;
        *at += width + 2;
        Some(start)
    });
    for (cell, start) in row.iter().zip(starts).collect::<Vec<_>>().into_iter().rev() {
        let painted = colours.word(cell);
        let in_place = line.get(start..start + cell.len()) == Some(cell.as_str());
        if painted != *cell && in_place {
            out.replace_range(start..start + cell.len(), &painted);
        }
    }
    out
}

fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if width > 20 && line.chars().count() > width => {
            line.chars().take(width - 1).chain(std::iter::once('…')).collect()
        }
        _ => line.to_owned(),
    }
}

/// The lines of one thing: names at the left, values beside them, without what a terminal would obey.
pub(crate) fn details(rows: &[(&str, String)], colours: Colours) -> Vec<String> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    let mut lines = Vec::new();
    for (name, value) in rows {
        let mut parts = value.lines().map(plain);
        let first = parts.next().unwrap_or_default();
        lines
            .push(format!("{}{}", colours.dim(&format!("{name:<width$}")), colours.word(&first)).trim_end().to_owned());
        lines.extend(parts.map(|part| format!("{:width$}{part}", "")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["node", "status", "message"]);
        table.row(["box-17".into(), "failed".into(), "it said:\nno".into()]);
        table.row(["a".into(), "completed".into(), String::new()]);
        table
    }

    #[test]
    fn columns_are_aligned_and_a_row_is_a_line() {
        let lines = table().lines(Colours::new(false, None, None), None);
        assert_eq!(lines, ["NODE    STATUS     MESSAGE", "box-17  failed     it said: no", "a       completed"]);
    }

    #[test]
    fn colour_changes_nothing_but_the_tone() {
        let lines = table().lines(Colours::new(true, None, None), None);
        assert!(
            lines[1].starts_with("box-17  \u{1b}[") && lines[1].contains("failed\u{1b}[0m     it said"),
            "{lines:?}"
        );
    }

    #[test]
    fn a_line_that_is_wider_than_the_terminal_is_cut() {
        let lines = table().lines(Colours::new(false, None, None), Some(24));
        assert_eq!(lines[1], "box-17  failed     it s…");
    }

    #[test]
    fn details_stand_beside_their_names() {
        let lines = details(&[("id", "7".into()), ("payload", "{\n}".into())], Colours::new(false, None, None));
        assert_eq!(lines, ["id       7", "payload  {", "         }"]);
        let odd = details(&[("why", "a\u{1b}[31mb\r\u{9b}c".into())], Colours::new(false, None, None));
        assert_eq!(odd, ["why  a [31mb  c"]);
        let turned = details(&[("path", "/tmp/\u{202e}xob\u{200b}".into())], Colours::new(false, None, None));
        assert_eq!(turned, ["path  /tmp/\u{fffd}xob\u{fffd}"]);
    }
}
