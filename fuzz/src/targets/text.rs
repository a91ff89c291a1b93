//! Readers of what people type, and of files.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use sortie_rules::config::{known_keys, load};
use sortie_rules::time::Span;
use sortie_rules::{access, addresses, ids, masking, names, progress, redaction, selectors, traces};

use super::target::{Target, Verdict, of_bytes, of_text};

/// The readers.
pub(super) const TARGETS: &[Target] = &[
    of_text("duration", 256, &["90s", "5m", "36h", "30d", "1h30m"], |text| match text.parse::<Span>() {
        Ok(span) if span < Span::ZERO => Verdict::Broken(format!("{span:?} is below zero")),
        Ok(_) => Verdict::Read,
        Err(error) => Verdict::Refused(error.to_string()),
    }),
    of_text("id", 128, &["01980c5e-7d1a-7c3e-9b7e-0123456789ab"], |text| match text.parse::<ids::TaskId>() {
        Ok(id) if id.to_string().parse() == Ok(id) => Verdict::Read,
        Ok(id) => Verdict::Broken(format!("{id} is not read again")),
        Err(error) => Verdict::Refused(error.to_string()),
    }),
    of_text("selector", 4096, &["ring=first", "a=b,!c", "os!=linux,ring in (a b)", "a"], |text| {
        match selectors::parse_labels(text) {
            Ok(terms) => {
                let labels = std::collections::BTreeMap::from([("ring".to_owned(), "first".to_owned())]);
                let _either = terms.iter().all(|term| term.holds(&labels));
                Verdict::Read
            }
            Err(error) => Verdict::Refused(error.to_string()),
        }
    }),
    of_text("name", 512, &["box-17", "a.b", "ring"], |text| {
        match names::check_name("name", text).and(names::check_type_name(text)) {
            Ok(()) => Verdict::Read,
            Err(error) => Verdict::Refused(error.to_string()),
        }
    }),
    of_text("permissions", 512, &["tasks:read,tasks:write", "nodes:read"], |text| {
        match text.parse::<access::Permissions>() {
            Ok(some) if some.to_string().parse::<access::Permissions>().is_ok() => Verdict::Read,
            Ok(some) => Verdict::Broken(format!("`{some}` is not read again")),
            Err(error) => Verdict::Refused(error.to_string()),
        }
    }),
    of_text("addresses", 1024, &["10.0.0.0/8:443", "[::1]:*", "localhost:80\nhub.example:*"], |text| {
        let entries: Vec<String> = text.lines().map(str::to_owned).collect();
        let allowed = match addresses::Allowed::parse(&entries) {
            Ok(allowed) => allowed,
            Err(error) => return Verdict::Refused(error.to_string()),
        };
        let inner: SocketAddr = (IpAddr::from([169, 254, 169, 254]), 80).into();
        // What is not named in numbers may not lead inside.
        let names_it =
            entries.iter().any(|entry| entry.contains("169.") || entry.contains('/') || entry.contains("::"));
        if allowed.allows("hub.example", inner) && !names_it {
            return Verdict::Broken("a private address that no entry names is allowed".to_owned());
        }
        Verdict::Read
    }),
    of_text("traceparent", 256, &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], |text| {
        match (traces::is_traceparent(text), text.is_ascii()) {
            (true, false) => Verdict::Broken("it goes into a header, and is no ASCII".to_owned()),
            (true, true) => Verdict::Read,
            (false, _) => Verdict::Refused(String::new()),
        }
    }),
    of_text("redaction", 4096, &["Authorization: Bearer abc.def", "password=hunter2 x", "\u{1b}[2J"], |text| {
        let clean = redaction::redact(text);
        match redaction::redact(&clean) == clean {
            true => Verdict::Read,
            false => Verdict::Broken(format!("what is clean is not: {clean:?}")),
        }
    }),
    of_bytes("progress", 4096, &["::progress 50 half", "x"], |input| match progress::read_progress(input) {
        Some(_) => Verdict::Read,
        None => Verdict::Refused(String::new()),
    }),
    of_bytes("masking", 4096, &["\u{5}hunterxx hunter yy", "\u{1}s3cret"], masked),
    of_text(
        "policy",
        16 << 10,
        &[
            sortie_agent::DEFAULT_POLICY_TOML,
            "allow = [\"x\"]\n[handlers.\"a.b\"]\nkind = \"command\"\nprogram = \"/x\"\nargs = [\"a\"]\n",
        ],
        |text| match sortie_agent::Policy::parse(text, Path::new("policy.toml")) {
            Ok(_) => Verdict::Read,
            Err(error) => Verdict::Refused(error.to_string()),
        },
    ),
    of_text(
        "agent_settings",
        16 << 10,
        &[sortie_agent::DEFAULT_TOML, "concurrency = 3\n[proxy]\nurl = \"none\"\n"],
        |text| settings::<sortie_agent::Settings>(text, sortie_agent::DEFAULT_TOML),
    ),
    of_text("hub_settings", 16 << 10, &[sortie_hub::settings::DEFAULT_TOML, "listen = \"0.0.0.0:8443\"\n"], |text| {
        settings::<sortie_hub::Settings>(text, sortie_hub::settings::DEFAULT_TOML)
    }),
    of_text("pack", 16 << 10, &[include_str!("../../../packs/base/pack.toml"), "name = \"x\"\n"], |text| {
        pack("pack.toml", text)
    }),
    of_text(
        "pack_schema",
        4096,
        &["{\"type\":\"object\",\"properties\":{\"ms\":{\"type\":\"integer\"}}}", "true"],
        |text| pack("schemas/x.json", text),
    ),
];

fn settings<T: serde::de::DeserializeOwned>(text: &str, default_toml: &str) -> Verdict {
    let keys = known_keys(default_toml);
    let known: Vec<&str> = keys.iter().map(String::as_str).collect();
    match load::<T>(text, "x.toml", std::iter::empty(), "", &known) {
        Ok(_) => Verdict::Read,
        Err(error) => Verdict::Refused(error.to_string()),
    }
}

/// The first byte says how long the secret is that follows it, the second in which pieces the rest comes. Pieces
/// change nothing, and no secret gets through.
fn masked(input: &[u8]) -> Verdict {
    let [length, piece, rest @ ..] = input else { return Verdict::Refused("too short".to_owned()) };
    let length = usize::from(length % 16);
    let Some((secret, log)) = rest.split_at_checked(length) else { return Verdict::Refused("too short".to_owned()) };
    let Ok(secret) = std::str::from_utf8(secret) else { return Verdict::Refused("no text".to_owned()) };
    if secret.len() < sortie_rules::limits::SECRET_BYTES_MIN || "[secret]".contains(secret) {
        return Verdict::Refused("no secret".to_owned());
    }
    let mask = |pieces: std::slice::Chunks<'_, u8>| {
        let mut masker = masking::Masker::new(vec![secret.to_owned()]);
        let mut masked: Vec<u8> = pieces.flat_map(|piece| masker.push(piece)).collect();
        masked.extend(masker.finish());
        masked
    };
    let whole = mask(log.chunks(log.len().max(1)));
    if mask(log.chunks(1 + usize::from(*piece))) != whole {
        return Verdict::Broken("the same log is masked otherwise in pieces".to_owned());
    }
    let shown = whole.windows(secret.len()).any(|window| window == secret.as_bytes());
    // Around a mark that was put in, a secret can come about that was not there.
    if shown && log.windows(secret.len()).any(|window| window == secret.as_bytes()) && !secret.contains(['[', ']']) {
        return Verdict::Broken(format!("the secret got through: {}", String::from_utf8_lossy(&whole)));
    }
    Verdict::Read
}

thread_local! {
    static FOLDER: tempfile::TempDir = in_memory().expect("a temporary folder can be made");
}

/// A folder in memory where there is such a place: a busy disk took the readers of files ten times as long.
fn in_memory() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

/// A pack in which one file is this.
fn pack(file: &str, text: &str) -> Verdict {
    const MANIFEST: &str = "name = \"x\"\n[[task_types]]\nname = \"x.y\"\nsummary = \"x\"\nidempotent = true\n\
                            payload = \"x.json\"\nresult = \"x.json\"\n";
    FOLDER.with(|folder| {
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            made.and_then(|()| std::fs::write(path, text)).expect("a temporary folder can be written");
        };
        put("pack.toml", MANIFEST);
        put("schemas/x.json", "{}");
        put(file, text);
        match sortie_hub::packs::check_folder(folder.path()) {
            Ok(_) => Verdict::Read,
            Err(error) => Verdict::Refused(error.0.first().map(|mistake| mistake.what.clone()).unwrap_or_default()),
        }
    })
}
