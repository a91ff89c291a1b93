//! One line of the doctor's table.

use serde::Serialize;

use crate::output::Output;

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and deserves a look.
    Look,
    /// Stands in the way.
    Bad,
    /// Could not be looked at, because of something above.
    Skipped,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What was looked at.
    pub(super) what: &'static str,
    /// How it looks.
    pub(super) verdict: Verdict,
    /// What was found.
    pub(super) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Check {
    fn new(what: &'static str, verdict: Verdict, found: impl Into<String>) -> Check {
        Check { what, verdict, found: found.into(), remedy: None }
    }
    /// All is well.
    pub(super) fn ok(what: &'static str, found: impl Into<String>) -> Check {
        Check::new(what, Verdict::Ok, found)
    }
    /// It works, but someone should look.
    pub(super) fn look(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { remedy: Some(remedy.into()), ..Check::new(what, Verdict::Look, found) }
    }
    /// It stands in the way.
    pub(super) fn bad(what: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Check {
        Check { remedy: Some(remedy.into()), ..Check::new(what, Verdict::Bad, found) }
    }
    /// It could not be looked at.
    pub(super) fn skipped(what: &'static str, why: impl Into<String>) -> Check {
        Check::new(what, Verdict::Skipped, why)
    }

    /// Whether it could not be looked at.
    pub(super) fn is_skipped(&self) -> bool {
        self.verdict == Verdict::Skipped
    }

    /// The lines that a person reads.
    pub(super) fn lines(&self, output: Output) -> Vec<String> {
        let colours = output.colours();
        let mark = match self.verdict {
            Verdict::Ok => colours.good("ok"),
            Verdict::Look => colours.fair("! "),
            Verdict::Bad => colours.bad("!!"),
            Verdict::Skipped => colours.dim("- "),
        };
        let mut lines = vec![format!("{mark}  {:<12}  {}", self.what, self.found)];
        lines.extend(self.remedy.iter().map(|remedy| format!("    {:<12}  {} {remedy}", "", colours.bold("try:"))));
        lines
    }
}
