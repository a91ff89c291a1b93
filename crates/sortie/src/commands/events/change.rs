//! What was changed, or would be.

use serde::Serialize;

/// What becomes of a stream or a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    /// `stream` or `consumer`.
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) change: Done,
    /// What differs from what was.
    pub(super) fields: Vec<Field>,
}

/// What was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Done {
    /// It was not there.
    Created,
    /// It was there and different.
    Updated,
    /// It was as it should be.
    Unchanged,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Field {
    pub(super) name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    pub(super) to: String,
}

impl Change {
    /// The change from these values, if there were any, to those. Both have the same fields in the same order.
    pub(super) fn between(
        what: &'static str,
        name: &str,
        before: Option<Vec<(&'static str, String)>>,
        after: Vec<(&'static str, String)>,
    ) -> Change {
        let existed = before.is_some();
        let mut before = before.unwrap_or_default().into_iter().map(|(_, value)| value);
        let fields: Vec<Field> = after
            .into_iter()
            .map(|(name, to)| Field { name, from: before.next(), to })
            .filter(|field| field.from.as_ref() != Some(&field.to))
            .collect();
        let change = match (existed, fields.is_empty()) {
            (false, _) => Done::Created,
            (true, false) => Done::Updated,
            (true, true) => Done::Unchanged,
        };
        Change { what, name: name.to_owned(), change, fields }
    }

    /// As people read it.
    pub(super) fn lines(&self, dry_run: bool) -> Vec<String> {
        let word = match (self.change, dry_run) {
            (Done::Created, false) => "created",
            (Done::Created, true) => "would be created",
            (Done::Updated, false) => "updated",
            (Done::Updated, true) => "would be updated",
            (Done::Unchanged, _) => "as it should be",
        };
        let mut lines = vec![format!("{} {}: {word}", self.what, self.name)];
        lines.extend(self.fields.iter().map(|field| match &field.from {
            Some(from) => format!("  {}: {from} -> {}", field.name, field.to),
            None => format!("  {}: {}", field.name, field.to),
        }));
        lines
    }
}
