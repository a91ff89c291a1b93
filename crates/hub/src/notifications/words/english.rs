//! For customers, in English.

use super::customer::{Language, Said, Sense};
use crate::notifications::zone::Local;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// English.
#[derive(Debug)]
pub(super) struct English;

fn device(said: &Said<'_>) -> String {
    said.node.map_or("your device".to_owned(), |node| format!("your device {node}"))
}

impl Language for English {
    fn moment(&self, local: Local) -> String {
        let month = MONTHS[usize::try_from(local.month - 1).unwrap_or(0).min(11)];
        format!("{} {month}, {:02}:{:02}", local.day, local.hour, local.minute)
    }

    fn subject(&self, said: &Said<'_>) -> String {
        let device = device(said);
        match (said.sense, said.opened) {
            (Sense::Silent, true) => format!("We cannot reach {device}"),
            (Sense::Silent, false) => format!("We can reach {device} again"),
            (Sense::Full, true) => format!("Little room is left on {device}"),
            (Sense::Full, false) => format!("There is room again on {device}"),
            (Sense::BackupFailed, true) => format!("A backup did not succeed: {device}"),
            (Sense::BackupMissed, true) => format!("A backup is late: {device}"),
            (Sense::BackupFailed | Sense::BackupMissed, false) => format!("The backup is made again: {device}"),
            (Sense::Other, true) => format!("There is a problem with {device}"),
            (Sense::Other, false) => format!("The problem with {device} is over"),
        }
    }

    fn sentence(&self, said: &Said<'_>) -> String {
        let (device, at) = (device(said), &said.at);
        match (said.sense, said.opened) {
            (Sense::Silent, true) => format!(
                "We have not been able to reach {device} since {at}. Please check that it is switched on and connected \
                 to the internet."
            ),
            (Sense::Silent, false) => format!("We can reach {device} again ({at}). There is nothing you need to do."),
            (Sense::Full, true) => format!("The storage of {device} is nearly full ({at})."),
            (Sense::Full, false) => format!("There is enough room again on {device} ({at})."),
            (Sense::BackupFailed, true) => format!("A backup of {device} did not succeed ({at})."),
            (Sense::BackupMissed, true) => format!("A backup of {device} was not made in time ({at})."),
            (Sense::BackupFailed | Sense::BackupMissed, false) => {
                format!("The backup of {device} is made again ({at}). There is nothing you need to do.")
            }
            (Sense::Other, true) => format!("There has been a problem with {device} since {at}."),
            (Sense::Other, false) => {
                format!("The problem with {device} is over ({at}). There is nothing you need to do.")
            }
        }
    }

    fn many(&self, count: u64) -> String {
        format!("{count} messages about your devices")
    }

    fn more(&self, count: u64) -> String {
        format!("and {count} more.")
    }

    fn test(&self) -> (String, String) {
        ("A test message".to_owned(), "This is a test: messages about your devices reach you this way.".to_owned())
    }

    fn letter(&self, text: &str) -> String {
        format!("Hello,\n\n{text}\n\nThis message was sent automatically.\n")
    }
}
