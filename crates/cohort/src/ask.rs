//! What is asked, and what is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::suppress::{Counted, Told, tell};

/// Columns to count by, at most.
const GROUPS_MAX: usize = 5;

/// The payload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    /// A `select` whose rows are the cohort.
    pub(crate) query: String,
    /// Columns of it by whose values it is counted, too.
    #[serde(default)]
    pub(crate) group_by: Vec<String>,
    /// Comes back in the result.
    #[serde(default)]
    query_id: Option<String>,
    /// The site's: which column says who somebody is.
    #[serde(skip)]
    person: Option<String>,
}

/// What the database counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) total: u64,
    pub(crate) by_column: BTreeMap<String, Vec<Counted>>,
}

/// The result.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    query_id: Option<String>,
    /// How many there are; nothing if they are too few to be told.
    count: Option<u64>,
    /// Whether something was left out because it is too few.
    suppressed: bool,
    threshold: u64,
    groups: BTreeMap<String, Told>,
    took_ms: u64,
}

impl Ask {
    /// Reads a payload. `may_group_by` are the columns by which the site lets be counted.
    pub(crate) fn read(text: &str, may_group_by: &[String], person: Option<String>) -> Result<Ask, Fault> {
        let mut ask: Ask = serde_json::from_str(text).map_err(|error| Fault::Payload(error.to_string()))?;
        // People end a statement so.
        let trimmed = ask.query.trim_end();
        ask.query = trimmed.strip_suffix(';').unwrap_or(trimmed).to_owned();
        ask.person = person;
        if ask.group_by.len() > GROUPS_MAX {
            return Err(Fault::Payload(format!("group_by has at most {GROUPS_MAX} columns")));
        }
        if let Some(other) = ask.group_by.iter().find(|name| !may_group_by.contains(name)) {
            let known = if may_group_by.is_empty() { "none".to_owned() } else { may_group_by.join(", ") };
            return Err(Fault::Payload(format!("group_by: this site does not count by `{other}`, but by {known}")));
        }
        // Names go into quotes.
        if let Some(bad) = ask.group_by.iter().chain(&ask.person).find(|name| name.contains(['"', '\0'])) {
            return Err(Fault::Settings(format!("`{bad}` is no name of a column")));
        }
        Ok(ask)
    }

    /// The query that counts all of it. The cohort's text stood alone before: it cannot close the bracket
    /// that it stands in here.
    pub(crate) fn count_all(&self) -> String {
        format!("select {} from (\n{}\n) as cohort", self.counted(), self.query)
    }

    /// The query that counts it by a column: value as text, count.
    pub(crate) fn count_by(&self, column: &str, limit: u32) -> String {
        format!(
            "select cast(\"{column}\" as text), {} from (\n{}\n) as cohort group by 1 order by 2 desc, 1 limit {limit}",
            self.counted(),
            self.query
        )
    }

    fn counted(&self) -> String {
        self.person.as_ref().map_or_else(|| "count(*)".to_owned(), |person| format!("count(distinct \"{person}\")"))
    }

    /// Refuses columns that the cohort does not have.
    pub(crate) fn check_columns<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> Result<(), Fault> {
        let columns: Vec<&str> = columns.into_iter().collect();
        if columns.is_empty() {
            return Err(Fault::Query("it is no select".to_owned()));
        }
        let missing = self.group_by.iter().chain(&self.person).find(|name| !columns.contains(&name.as_str()));
        missing.map_or(Ok(()), |name| Err(Fault::NoColumn(name.clone())))
    }
}

impl Answer {
    /// What may be told of what was counted.
    pub(crate) fn of(ask: &Ask, counts: Counts, threshold: u64, values_max: u32, took: Duration) -> Answer {
        let count = (counts.total >= threshold).then_some(counts.total);
        let groups: BTreeMap<String, Told> = counts
            .by_column
            .into_iter()
            .map(|(column, values)| (column, tell(counts.total, values, threshold, values_max as usize)))
            .collect();
        Answer {
            query_id: ask.query_id.clone(),
            suppressed: count.is_none() || groups.values().any(|told| told.suppressed),
            count,
            threshold,
            groups,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_or_its_fault_is_named() {
        let allowed = ["a".to_owned()];
        let ask =
            Ask::read(r#"{"query": "select 1 as a; ", "group_by": ["a"], "query_id": "q"}"#, &allowed, None).unwrap();
        assert_eq!(ask.query, "select 1 as a");
        assert!(ask.check_columns(["a", "b"]).is_ok());
        assert!(matches!(ask.check_columns(["b"]), Err(Fault::NoColumn(name)) if name == "a"));
        assert!(matches!(ask.check_columns([]), Err(Fault::Query(_))));
        for wrong in [
            "",
            "{}",
            r#"{"query": "select 1", "colour": "red"}"#,
            r#"{"query": "select 1", "group_by": ["b"]}"#,
            r#"{"query": "select 1", "group_by": ["a","b","c","d","e","f"]}"#,
        ] {
            assert!(matches!(Ask::read(wrong, &allowed, None), Err(Fault::Payload(_))), "{wrong}");
        }
    }

    #[test]
    fn few_are_not_told() {
        let ask = Ask::read(r#"{"query": "select 1"}"#, &[], None).unwrap();
        let of = |total| Answer::of(&ask, Counts { total, ..Counts::default() }, 10, 9, Duration::ZERO);
        assert_eq!((of(9).count, of(9).suppressed), (None, true));
        assert_eq!((of(10).count, of(10).suppressed), (Some(10), false));
    }
}
