//! The lines of an audit export: whoever holds where a chain stood holds every line of it.

use std::sync::OnceLock;

use serde_json::json;
use sortie_rules::audit::{Checker, Hash, Head, NO_HASH, canonical, hex, link_bytes, write_head, write_link};
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::Millis;
use sortie_wire::audit::sha256;

use super::target::{Examples, Reader, Target, Verdict};

/// The readers.
pub(super) const TARGETS: &[Target] = &[Target {
    name: "audit_lines",
    bytes_max: 8 << 10,
    examples: Examples::Made(|| vec![export().0.clone().into_bytes()]),
    reader: Reader::Bytes(lines),
}];

/// Two links and where they end, and the hash that somebody has kept elsewhere.
fn export() -> &'static (String, Hash) {
    static EXPORT: OnceLock<(String, Hash)> = OnceLock::new();
    EXPORT.get_or_init(|| {
        let (mut text, mut previous) = (String::new(), NO_HASH);
        for number in 1..=2_u64 {
            let actor = json!({ "by": "token", "key": "token:1", "name": "ada" });
            let entry = json!({ "action": "node.revoke", "actor": actor, "at": number, "changes": null,
                "org": DEFAULT_ORG, "outcome": "done" });
            let entry = canonical(&entry);
            let hash = sha256(&link_bytes(&previous, number, &sha256(entry.as_bytes())));
            write_link(&mut text, number, &previous, &hash, &entry);
            previous = hash;
        }
        let head = Head { at: Millis(3), hash: hex(&previous), number: 2, org: DEFAULT_ORG };
        text += &write_head(&head, &json!({ "payload": "" }));
        (text, previous)
    })
}

fn lines(input: &[u8]) -> Verdict {
    let (text, kept) = export();
    let mut checker = Checker::new(sha256);
    checker.know(2, *kept);
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        checker.line(line.strip_suffix(b"\n").unwrap_or(line));
    }
    let links = checker.links();
    if let Err(broken) = checker.finish(input.ends_with(b"\n")) {
        return Verdict::Refused(broken.fault.to_string());
    }
    // What follows is somebody's own; the lines up to what was kept are those that there were.
    let links_of = |text: &[u8]| -> Vec<Vec<u8>> {
        let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"entry\""));
        lines.take(2).map(<[u8]>::to_vec).collect()
    };
    match links >= 2 && links_of(input) == links_of(text.as_bytes()) {
        true => Verdict::Read,
        false => Verdict::Broken("another chain holds where this one was kept".to_owned()),
    }
}
