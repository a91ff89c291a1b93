//! The table of reports: which facts the agent tells of its machine, and which programs make more of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use sortie_rules::limits::{APPLIER_WITHIN_DEFAULT, REPORT_BYTES_MAX, REPORT_EVERY_DEFAULT, REPORTS_AT_ONCE_MAX};
use sortie_rules::names::check_name;
use sortie_rules::time::Span;

use super::desired::settable;
use super::handlers::Command;
use super::privileged::{command, program};

/// What a site tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// Whether facts of the machine are told, as `sys.info` knows them.
    pub facts: bool,
    /// The programs that make reports, by name.
    pub programs: BTreeMap<String, ReportProgram>,
}

/// A program that makes reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportProgram {
    /// What they are about.
    pub kind: String,
    /// How often it is run.
    pub every: Span,
    /// Whether events are told of what it reports: of backups that were completed, or failed.
    pub events: bool,
    /// The program.
    pub command: Command,
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct ReportsText {
    facts: bool,
    #[serde(flatten)]
    programs: BTreeMap<String, ProgramText>,
}

impl Default for ReportsText {
    fn default() -> ReportsText {
        ReportsText { facts: true, programs: BTreeMap::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramText {
    kind: String,
    program: PathBuf,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    every_s: Option<u32>,
    wall_s: Option<u32>,
    events: Option<bool>,
}

impl Reports {
    /// Where the policy says nothing.
    pub(super) fn usual() -> Reports {
        Reports { facts: true, programs: BTreeMap::new() }
    }
}

impl ReportsText {
    pub(super) fn read(self) -> Result<Reports, String> {
        let read = |(name, text): (String, ProgramText)| {
            let read = text.read(&name).map_err(|why| format!("[reports.\"{name}\"]: {why}"))?;
            Ok((name, read))
        };
        let programs = self.programs.into_iter().map(read).collect::<Result<_, String>>()?;
        Ok(Reports { facts: self.facts, programs })
    }
}

impl ProgramText {
    fn read(self, name: &str) -> Result<ReportProgram, String> {
        for (what, name) in [("name of a program", name), ("kind of reports", &self.kind)] {
            check_name(what, name).map_err(|error| error.to_string())?;
        }
        if self.every_s == Some(0) || self.wall_s == Some(0) {
            return Err("`every_s` and `wall_s` are at least 1".to_owned());
        }
        let words: Vec<String> = std::iter::once(self.program.display().to_string()).chain(self.args).collect();
        program(&words)?;
        settable(&self.environment)?;
        let seconds = |given: Option<u32>, usual: Span| given.map_or(usual, |given| Span::seconds(given.into()));
        let wall = seconds(self.wall_s, APPLIER_WITHIN_DEFAULT);
        let output_bytes = (REPORT_BYTES_MAX * REPORTS_AT_ONCE_MAX / 10) as u64;
        Ok(ReportProgram {
            kind: self.kind,
            every: seconds(self.every_s, REPORT_EVERY_DEFAULT),
            events: self.events.unwrap_or(true),
            command: Command { environment: self.environment, output_bytes, ..command(words, None, wall) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use std::path::Path;

    fn policy(text: &str) -> Result<Reports, String> {
        Policy::parse(text, Path::new("p")).map(|policy| policy.reports).map_err(|error| error.to_string())
    }

    #[test]
    fn facts_are_told_unless_the_site_says_otherwise_and_programs_as_it_says() {
        assert_eq!(policy("").unwrap(), Reports::usual());
        assert!(!policy("[reports]\nfacts = false").unwrap().facts);
        let text = "[reports.disks]\nkind = \"inventory\"\nprogram = \"/usr/bin/disks\"\nevery_s = 60";
        let site = policy(text).unwrap();
        let disks = &site.programs["disks"];
        assert_eq!((disks.kind.as_str(), disks.every, site.facts), ("inventory", Span::minutes(1), true));
        assert!(disks.events && !policy(&format!("{text}\nevents = false")).unwrap().programs["disks"].events);
        for (wrong, said) in [
            ("[reports.disks]\nkind = \"inventory\"\nprogram = \"disks\"", "whole path"),
            ("[reports.disks]\nkind = \"In Ventory\"\nprogram = \"/d\"", "only a-z"),
            ("[reports.disks]\nkind = \"a\"\nprogram = \"/d\"\nevery_s = 0", "at least 1"),
        ] {
            assert!(policy(wrong).unwrap_err().contains(said), "{wrong}");
        }
    }
}
