//! `sortie audit verify`: proves an export, or names the first link that does not hold. Asks no hub.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use sortie_rules::audit::{Broken, Checker, Hash, Step, canonical, from_hex, hex};
use sortie_wire::audit::sha256;
use sortie_wire::envelope::{AUDIT_HEAD, Envelope, Verifier};
use sortie_wire::keys::KeySet;

use crate::context::Context;
use crate::exit::{Done, Exit, Failure};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie audit verify audit.ndjson\n  \
                        sortie audit verify audit.ndjson --earlier last-month.ndjson --keys hub-keys.json\n  \
                        sortie audit verify audit-2.ndjson --after 1042\n\n\
                        It ends with code 0 if every link holds and with code 7 if one does not, which it names.\n\
                        Whoever has the hub's database and its keys can make a whole log anew that holds by itself:\n\
                        hold it against what was kept elsewhere, with --earlier or --head.")]
pub(crate) struct Verify {
    /// The export
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An older export: everything in it must stand in this one, or this one must go on where it ends
    #[arg(long, value_name = "FILE")]
    earlier: Option<PathBuf>,
    /// A link that is known, as `sortie audit head` printed it
    #[arg(long, value_name = "NUMBER:HASH", value_parser = place)]
    head: Option<(u64, Hash)>,
    /// The file begins after this link, and not with the first
    #[arg(long, value_name = "NUMBER[:HASH]", value_parser = beginning, conflicts_with = "earlier")]
    after: Option<(u64, Option<Hash>)>,
    /// The hub's public keys, as `sortie audit keys` printed them: its signatures are checked too
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// What was proved, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Proved {
    holds: bool,
    links: u64,
    first: u64,
    number: u64,
    hash: String,
    heads: u64,
    signatures_checked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<Shown>,
}

/// The first link that does not hold, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Shown {
    file: PathBuf,
    line: u64,
    number: Option<u64>,
    why: String,
}

/// Does it.
pub(super) fn run(verify: &Verify, context: &Context) -> Done {
    let keys = verify.keys.as_deref().map(read_keys).transpose()?;
    let mut checker = Checker::new(sha256);
    if let Some((number, hash)) = verify.after {
        checker = checker.after(number, hash);
    }
    let mut known = verify.head;
    if let Some(earlier) = &verify.earlier {
        let (proved, place) = prove(earlier, Checker::new(sha256), keys.as_ref())?;
        if let Some(broken) = proved.broken {
            return tell_broken(context, &Proved { broken: Some(broken), ..proved });
        }
        if first_link(&verify.file)? == Some(place.0 + 1) {
            checker = checker.after(place.0, Some(place.1));
        } else if place.0 > 0 {
            checker.know(place.0, place.1);
        }
    }
    if let Some((number, hash)) = known.take().filter(|(number, _)| *number > 0) {
        checker.know(number, hash);
    }
    let (proved, _) = prove(&verify.file, checker, keys.as_ref())?;
    if proved.broken.is_some() {
        return tell_broken(context, &proved);
    }
    let output = context.output;
    output.either(&proved, |proved| {
        let Proved { links, first, number, hash, .. } = proved;
        output.line(&match links {
            0 => "The file holds: there are no links in it.".to_owned(),
            links => format!("The file holds: {links} links, from {first} to {number}."),
        })?;
        output.line(&format!("head  {number}:{hash}"))?;
        if !proved.signatures_checked {
            output.say("The hub's signatures were not checked: --keys FILE names its public keys.");
        }
        Ok(())
    })
}

/// Goes through a file. Returns what was found, and where the chain stands.
fn prove(path: &Path, mut checker: Checker, keys: Option<&Verifier>) -> Result<(Proved, (u64, Hash)), Failure> {
    let cannot = |error: std::io::Error| Failure::usage(format!("{} cannot be read: {error}", path.display()));
    let mut reader = BufReader::new(File::open(path).map_err(cannot)?);
    let (before, _) = checker.stands();
    let (mut line, mut is_whole, mut heads) = (Vec::new(), true, 0);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
            break;
        }
        is_whole = line.ends_with(b"\n");
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let Some(Step::Head(head, signed)) = checker.line(text) else { continue };
        heads += 1;
        let head = canonical(&serde_json::to_value(head).unwrap_or_default());
        if let Some(why) = keys.and_then(|keys| distrust(keys, &head, signed)) {
            checker.not_signed(why);
        }
    }
    let (links, place) = (checker.links(), checker.stands());
    let shown = |broken: Broken| Shown {
        file: path.to_owned(),
        line: broken.line,
        number: broken.number,
        why: broken.fault.to_string(),
    };
    let broken = checker.finish(is_whole).err().map(shown);
    let first = if links == 0 { 0 } else { before + 1 };
    let (number, hash) = (place.0, hex(&place.1));
    let (holds, signatures_checked) = (broken.is_none(), keys.is_some());
    Ok((Proved { holds, links, first, number, hash, heads, signatures_checked, broken }, place))
}

/// Why the signature over a head is not believed, if it is not.
fn distrust(keys: &Verifier, head: &str, signed: serde_json::Value) -> Option<String> {
    let Ok(envelope) = serde_json::from_value::<Envelope>(signed) else {
        return Some("there is no envelope".to_owned());
    };
    match keys.open(&envelope, AUDIT_HEAD) {
        Ok(message) if message == head.as_bytes() => None,
        Ok(_) => Some("what it signed is another head".to_owned()),
        Err(why) => Some(why.to_string()),
    }
}

fn tell_broken(context: &Context, proved: &Proved) -> Done {
    if context.output.json() {
        context.output.value(proved)?;
        return Err(Failure::Silent(Exit::DoesNotHold));
    }
    let Some(broken) = &proved.broken else { return Ok(()) };
    let link = broken.number.map_or_else(String::new, |number| format!(", link {number}"));
    let what = format!("{}, line {}{link}: {}", broken.file.display(), broken.line, broken.why);
    let before = match proved.links {
        0 => "no link before it holds".to_owned(),
        links => format!("the {links} links before it hold, up to link {}", proved.number),
    };
    Err(Failure::new(Exit::DoesNotHold, format!("{what}; {before}"))
        .remedy("export the log anew and compare; docs/audit.md says what each of these means"))
}

/// The number of the first link of a file.
fn first_link(path: &Path) -> Result<Option<u64>, Failure> {
    let cannot = |error: std::io::Error| Failure::usage(format!("{} cannot be read: {error}", path.display()));
    let mut line = Vec::new();
    BufReader::new(File::open(path).map_err(cannot)?).read_until(b'\n', &mut line).map_err(cannot)?;
    let value: Option<serde_json::Value> = serde_json::from_slice(&line).ok();
    Ok(value.and_then(|value| value.get("number")?.as_u64()))
}

fn read_keys(path: &Path) -> Result<Verifier, Failure> {
    let unusable = |why: String| {
        Failure::usage(format!("{} holds no public keys of a hub: {why}", path.display()))
            .remedy("`sortie audit keys` prints them")
    };
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let set: KeySet = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
    Verifier::new(&set).map_err(|error| unusable(error.to_string()))
}

fn place(text: &str) -> Result<(u64, Hash), String> {
    match beginning(text)? {
        (number, Some(hash)) => Ok((number, hash)),
        (_, None) => Err("write number and hash, as `sortie audit head` prints them: 1042:3f5a…".to_owned()),
    }
}

fn beginning(text: &str) -> Result<(u64, Option<Hash>), String> {
    let (number, hash) = text.split_once(':').map_or((text, None), |(number, hash)| (number, Some(hash)));
    let number = number.parse().map_err(|_| format!("`{number}` is no number of a link"))?;
    let hash = hash.map(|hash| from_hex(hash).ok_or_else(|| "a hash has 64 digits of 0-9 and a-f".to_owned()));
    Ok((number, hash.transpose()?))
}
