//! For those whose box it is: in their language, without what only operators understand. Each rule of the hub's own
//! that they can make sense of has a sentence; all others have one that says little and nothing wrong.

use sortie_rules::notifications::Locale;
use sortie_store::notifications::Told;

use super::{english, hungarian};
use crate::notifications::matter::Matter;

/// What a customer can make sense of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// The box is not heard.
    Silent,
    /// Its disk is nearly full.
    Full,
    /// A backup failed.
    BackupFailed,
    /// A backup was not made in time.
    BackupMissed,
    /// Something else.
    Other,
}

impl Sense {
    fn of(rule: &str) -> Sense {
        match rule {
            "node.down" | "node.stale" => Sense::Silent,
            "disk.full" => Sense::Full,
            "backup.failed" => Sense::BackupFailed,
            "backup.missed" => Sense::BackupMissed,
            _ => Sense::Other,
        }
    }
}

/// One thing that a customer is told, with all that its sentence needs.
#[derive(Debug, Clone)]
pub(super) struct Said<'a> {
    pub(super) sense: Sense,
    pub(super) opened: bool,
    /// The box's name; the whole is meant if it has none.
    pub(super) node: Option<&'a str>,
    /// When it began, or was over, as a customer reads it.
    pub(super) at: String,
}

/// A language.
pub(super) trait Language {
    /// A time.
    fn moment(&self, local: crate::notifications::zone::Local) -> String;
    /// The line for one thing.
    fn subject(&self, said: &Said<'_>) -> String;
    /// The sentence for one thing.
    fn sentence(&self, said: &Said<'_>) -> String;
    /// The line for so many things.
    fn many(&self, count: u64) -> String;
    /// What follows the first of many.
    fn more(&self, count: u64) -> String;
    /// Subject and sentence of a test.
    fn test(&self) -> (String, String);
    /// A text with what comes before and after.
    fn letter(&self, text: &str) -> String;
}

/// Subject and text.
pub(super) fn write(matter: &Matter) -> (String, String) {
    match matter.locale() {
        Locale::En => in_language(matter, &english::English),
        Locale::Hu => in_language(matter, &hungarian::Hungarian),
    }
}

fn in_language(matter: &Matter, language: &impl Language) -> (String, String) {
    let said = |told: &'_ Told| -> (String, String) {
        let tells = &told.tells;
        let at = if tells.opened { told.began_at } else { told.resolved_at }.unwrap_or(tells.at);
        let said = Said {
            sense: Sense::of(&tells.alarm_rule),
            opened: tells.opened,
            node: tells.node_name.as_deref(),
            at: language.moment(matter.zone.local(at)),
        };
        (language.subject(&said), language.sentence(&said))
    };
    let (subject, text) = match (matter.is_test, matter.only()) {
        (true, _) => language.test(),
        (false, Some(told)) => said(told),
        (false, None) => {
            let mut lines: Vec<String> = matter.first.iter().map(|told| format!("- {}", said(told).1)).collect();
            let more = matter.count().saturating_sub(matter.first.len() as u64);
            lines.extend((more > 0).then(|| language.more(more)));
            (language.many(matter.count()), lines.join("\n"))
        }
    };
    (subject, language.letter(&text))
}
