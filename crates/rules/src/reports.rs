//! What a program that makes reports has written.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::limits::{REPORT_BYTES_MAX, REPORTS_AT_ONCE_MAX};

/// Longest subject of a report, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 200;

/// One report.
#[derive(Debug, Clone)]
pub struct Made {
    /// Which of its kind, where there are several.
    pub subject: Option<String>,
    /// The facts: an object.
    pub facts: Box<RawValue>,
}

/// Why a program's output holds no reports: a sentence without its full stop, which repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReports(String);

impl fmt::Display for NotReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default)]
    subject: Option<String>,
    facts: Box<RawValue>,
}

/// Reads an object, which is one report, or a list of `{"subject", "facts"}`.
///
/// # Errors
/// The first thing that is wrong. Nothing counts of an output in which something is.
pub fn read_reports(output: &[u8]) -> Result<Vec<Made>, NotReports> {
    let bad = |why: &str| NotReports(why.to_owned());
    let garbage = |error: serde_json::Error| {
        NotReports(format!("it is not what reports are (line {}, column {})", error.line(), error.column()))
    };
    let text = std::str::from_utf8(output).map_err(|_| bad("it is not UTF-8"))?.trim();
    let made = if text.starts_with('[') {
        let listed: Vec<Listed> = serde_json::from_str(text).map_err(garbage)?;
        listed.into_iter().map(|Listed { subject, facts }| Made { subject, facts }).collect()
    } else {
        vec![Made { subject: None, facts: serde_json::from_str(text).map_err(garbage)? }]
    };
    if made.len() > REPORTS_AT_ONCE_MAX {
        return Err(NotReports(format!(
            "it holds {} reports, and at most {REPORTS_AT_ONCE_MAX} are taken",
            made.len()
        )));
    }
    let mut subjects = std::collections::BTreeSet::new();
    for Made { subject, facts } in &made {
        if !facts.get().starts_with('{') {
            return Err(bad("the facts of a report are an object"));
        }
        if facts.get().len() > REPORT_BYTES_MAX {
            let bytes = facts.get().len();
            return Err(NotReports(format!("a report has {bytes} bytes, and at most {REPORT_BYTES_MAX} are taken")));
        }
        let is_subject =
            |text: &String| (1..=SUBJECT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if !subject.as_ref().is_none_or(is_subject) {
            return Err(NotReports(format!("a subject is a text of 1 to {SUBJECT_BYTES_MAX} bytes on one line")));
        }
        if !subjects.insert(subject) {
            return Err(bad("two of its reports have one subject"));
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_a_report_and_a_list_holds_several() {
        let one = read_reports(b" {\"disks\": 2}\n").unwrap();
        assert_eq!((one.len(), one[0].subject.as_deref(), one[0].facts.get()), (1, None, "{\"disks\": 2}"));
        let many = read_reports(br#"[{"subject": "a", "facts": {}}, {"facts": {"x": 1}}]"#).unwrap();
        assert_eq!(many.iter().map(|one| one.subject.as_deref()).collect::<Vec<_>>(), [Some("a"), None]);
        assert!(read_reports(b"[]").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_report_is_told_without_being_repeated() {
        let large = format!("{{\"a\": {:?}}}", "x".repeat(REPORT_BYTES_MAX));
        let twice = json!([{"subject": "a", "facts": {}}, {"subject": "a", "facts": {}}]).to_string();
        let line = json!([{"subject": "a\nb", "facts": {}}]).to_string();
        let many = json!(vec![json!({"facts": {}}); REPORTS_AT_ONCE_MAX + 1]).to_string();
        for (output, said) in [
            ("", "line 1"),
            ("{\"password\": hunter2}", "column"),
            ("7", "an object"),
            ("[{\"facts\": []}]", "an object"),
            ("[{\"fact\": {}}]", "line 1"),
            (&large, "bytes"),
            (&twice, "one subject"),
            (&line, "one line"),
            (&many, "reports"),
        ] {
            let refusal = read_reports(output.as_bytes()).unwrap_err().to_string();
            assert!(refusal.contains(said) && !refusal.contains("hunter"), "{refusal}");
        }
        assert!(read_reports(b"{\"a\": \"\xff\"}").is_err());
    }
}
