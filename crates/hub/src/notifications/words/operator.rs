//! For those who run the fleet: in English, with every detail.

use std::fmt::Write as _;

use sortie_rules::alarms::Severity;
use sortie_rules::limits::DIGEST_FROM;
use sortie_store::notifications::Told;

use crate::notifications::matter::Matter;

/// Subject and text.
pub(super) fn write(matter: &Matter, hub_url: &str) -> (String, String) {
    if matter.is_test {
        let text = format!(
            "This is a test: the hub at {hub_url} tells alarms to the recipient `{}` by this way.\n",
            matter.recipient.name
        );
        return ("[test] It arrives".to_owned(), text);
    }
    match matter.only() {
        Some(told) => (subject(told), one(matter, told, hub_url)),
        None => digest(matter, hub_url),
    }
}

fn subject(told: &Told) -> String {
    let tells = &told.tells;
    let word = if tells.opened { tells.severity.as_str() } else { "resolved" };
    format!("[{word}] {}{}", tells.alarm_rule, about(told))
}

/// At which node, and about what.
fn about(told: &Told) -> String {
    let tells = &told.tells;
    let node = tells.node_name.as_ref().map(|name| format!(" at {name}")).unwrap_or_default();
    if tells.subject.is_empty() { node } else { format!("{node} ({})", tells.subject) }
}

fn one(matter: &Matter, told: &Told, hub_url: &str) -> String {
    let tells = &told.tells;
    let mut text = if tells.opened { String::new() } else { "It is over. It was:\n".to_owned() };
    let mut row = |what: &str, is: &str| {
        if !is.is_empty() {
            writeln!(text, "{what:<10}{is}").expect("a String can be written");
        }
    };
    row("what", &tells.summary);
    row("node", tells.node_name.as_deref().unwrap_or_default());
    row("site", tells.site.as_deref().unwrap_or_default());
    row("subject", &tells.subject);
    row("rule", &tells.alarm_rule);
    row("severity", tells.severity.as_str());
    row("since", &matter.zone.write(told.began_at.unwrap_or(tells.at)));
    if !tells.opened {
        row("over", &matter.zone.write(told.resolved_at.unwrap_or(tells.at)));
    }
    row("data", told.data.as_deref().filter(|data| *data != "{}").unwrap_or_default());
    row("hub", hub_url);
    let alarm = tells.alarm;
    write!(text, "\nsortie alarm show {alarm}\n").expect("a String can be written");
    text
}

fn digest(matter: &Matter, hub_url: &str) -> (String, String) {
    let (opened, resolved) = (matter.count_of(true), matter.count_of(false));
    let begun = matter.tally.iter().filter(|one| one.opened);
    let word = begun.map(|one| one.severity).max().map_or("resolved", Severity::as_str);
    let first = matter.first.iter().max_by_key(|told| (told.tells.opened, told.tells.severity));
    let subject = match (first, opened, resolved) {
        (Some(first), ..) if matter.count() < DIGEST_FROM => {
            format!("{}, and {} more", subject(first), matter.count() - 1)
        }
        (_, opened, 0) => format!("[{word}] {opened} alarms"),
        (_, 0, resolved) => format!("[{word}] {resolved} alarms are over"),
        (_, opened, resolved) => format!("[{word}] {opened} alarms, and {resolved} are over"),
    };
    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").expect("a String can be written");
    for severity in Severity::ALL.into_iter().rev() {
        let count = |opened| -> u64 {
            let alike = matter.tally.iter().filter(|one| one.severity == severity && one.opened == opened);
            alike.map(|one| one.count).sum()
        };
        if count(true) + count(false) > 0 {
            say(format!("{:<10}{} began, {} are over", severity.as_str(), count(true), count(false)));
        }
    }
    say(String::new());
    for told in &matter.first {
        let tells = &told.tells;
        let word = if tells.opened { tells.severity.as_str() } else { "resolved" };
        say(format!("{}  {word:<10}{}{}", matter.zone.write(tells.at), tells.alarm_rule, about(told)));
    }
    let more = matter.count().saturating_sub(matter.first.len() as u64);
    if more > 0 {
        say(format!("and {more} more"));
    }
    say(format!("\nhub       {hub_url}\n\nsortie alarm list"));
    (subject, text)
}
