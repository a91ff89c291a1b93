//! For customers, in Hungarian.

use super::customer::{Language, Said, Sense};
use crate::notifications::zone::Local;

const MONTHS: [&str; 12] = [
    "január",
    "február",
    "március",
    "április",
    "május",
    "június",
    "július",
    "augusztus",
    "szeptember",
    "október",
    "november",
    "december",
];

/// Hungarian. Names stand in brackets, so that no ending has to fit them.
#[derive(Debug)]
pub(super) struct Hungarian;

fn name(said: &Said<'_>) -> String {
    said.node.map(|node| format!(" ({node})")).unwrap_or_default()
}

impl Language for Hungarian {
    fn moment(&self, local: Local) -> String {
        let month = MONTHS[usize::try_from(local.month - 1).unwrap_or(0).min(11)];
        format!("{month} {}. {:02}:{:02}", local.day, local.hour, local.minute)
    }

    fn subject(&self, said: &Said<'_>) -> String {
        let name = name(said);
        match (said.sense, said.opened) {
            (Sense::Silent, true) => format!("Otthoni eszköze nem érhető el{name}"),
            (Sense::Silent, false) => format!("Otthoni eszköze ismét elérhető{name}"),
            (Sense::Full, true) => format!("Otthoni eszközén kevés a szabad hely{name}"),
            (Sense::Full, false) => format!("Otthoni eszközén ismét van elég hely{name}"),
            (Sense::BackupFailed, true) => format!("Nem sikerült egy biztonsági mentés{name}"),
            (Sense::BackupMissed, true) => format!("Késik egy biztonsági mentés{name}"),
            (Sense::BackupFailed | Sense::BackupMissed, false) => format!("Ismét elkészült a biztonsági mentés{name}"),
            (Sense::Other, true) => format!("Gond van otthoni eszközével{name}"),
            (Sense::Other, false) => format!("Otthoni eszköze ismét rendben van{name}"),
        }
    }

    fn sentence(&self, said: &Said<'_>) -> String {
        let (name, at) = (name(said), &said.at);
        match (said.sense, said.opened) {
            (Sense::Silent, true) => format!(
                "Az otthoni eszköz{name} {at} óta nem érhető el. Kérjük, ellenőrizze, hogy be van-e kapcsolva, és \
                 csatlakozik-e az internethez."
            ),
            (Sense::Silent, false) => {
                format!("Az otthoni eszköz{name} ismét elérhető ({at}). Önnek nincs teendője.")
            }
            (Sense::Full, true) => format!("Az otthoni eszköz{name} tárhelye hamarosan betelik ({at})."),
            (Sense::Full, false) => format!("Az otthoni eszközön{name} ismét van elég szabad hely ({at})."),
            (Sense::BackupFailed, true) => {
                format!("Az otthoni eszköz{name} egyik biztonsági mentése nem sikerült ({at}).")
            }
            (Sense::BackupMissed, true) => {
                format!("Az otthoni eszköz{name} egyik biztonsági mentése nem készült el időben ({at}).")
            }
            (Sense::BackupFailed | Sense::BackupMissed, false) => {
                format!("Az otthoni eszköz{name} biztonsági mentése ismét elkészült ({at}). Önnek nincs teendője.")
            }
            (Sense::Other, true) => format!("Az otthoni eszközzel{name} {at} óta gond van."),
            (Sense::Other, false) => {
                format!("Az otthoni eszközzel{name} kapcsolatos gond megszűnt ({at}). Önnek nincs teendője.")
            }
        }
    }

    fn many(&self, count: u64) -> String {
        format!("{count} értesítés az otthoni eszközeiről")
    }

    fn more(&self, count: u64) -> String {
        format!("és további {count} értesítés.")
    }

    fn test(&self) -> (String, String) {
        let text = "Ez egy próbaüzenet: az otthoni eszközeiről szóló értesítések ezen az úton jutnak el Önhöz.";
        ("Próbaüzenet".to_owned(), text.to_owned())
    }

    fn letter(&self, text: &str) -> String {
        format!("Tisztelt Ügyfelünk!\n\n{text}\n\nEzt az üzenetet a rendszer automatikusan küldte.\n")
    }
}
