//! `sortie audit export`: the chain, to keep it elsewhere. Into a file it goes on where the file ends.

use std::path::PathBuf;

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::audit::Checker;
use sortie_wire::audit::sha256;

use super::file::ExportFile;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::find_hub::HubOptions;

/// Links that are asked for at once.
const LINKS_AT_ONCE: u32 = 5000;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie audit export --out audit.ndjson\n  \
                        sortie audit export --after 1042 | gzip > audit-2.ndjson.gz\n\n\
                        Called again with the same file, it adds what has come since, and goes on where it was cut.\n\
                        Each link is one line of JSON; the last line says where the log stood, signed by the hub.")]
pub(crate) struct Export {
    #[command(flatten)]
    hub: HubOptions,
    /// Write into this file, or go on where it ends; without it, to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Begin after the link of this number
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
}

/// Does it.
pub(super) async fn run(export: Export, context: &Context) -> Done {
    let (hub, output) = (context.patient_hub(&export.hub)?, context.output);
    // Asked before a file is made for it.
    let newest = hub.audit_head().await?.head.number;
    let mut file = export.out.as_deref().map(ExportFile::open).transpose()?;
    file.as_ref().map_or(Ok(()), ExportFile::check)?;
    let (after, hash) = match &file {
        Some(file) if !file.is_new => {
            if export.after.is_some_and(|after| after != file.number) {
                let what = format!("the file ends with link {}, which --after does not say", file.number);
                return Err(Failure::usage(what).remedy("leave --after out: it goes on where the file ends"));
            }
            (file.number, file.hash)
        }
        _ => (export.after.unwrap_or(0), None),
    };
    let bar = output.progress_bar(newest);
    let mut chain = Checker::new(sha256).after(after, hash);
    let mut number = after;
    loop {
        let part = part(&hub, number, &mut chain).await?;
        if number == after && hash.is_some() && chain.is_broken() && chain.links() == 0 {
            return Err(does_not_follow(number));
        }
        let is_last = part.number >= newest || part.number == number;
        number = part.number;
        let kept = if is_last { &part.lines[..] } else { &part.lines[..part.head] };
        match &mut file {
            Some(file) => file.add(kept)?,
            None => output.bytes(kept)?,
        }
        bar.set(number, format!("link {number} of {newest}"));
        if is_last {
            break;
        }
    }
    drop(bar);
    if let Some(file) = &file {
        file.keep()?;
    }
    if chain.is_broken() {
        let what = format!("what was exported does not hold: link {} is the last that does", chain.stands().0);
        return Err(Failure::new(Exit::DoesNotHold, what).remedy("`sortie audit verify FILE` says what is wrong"));
    }
    output.say(&format!("{} links were exported, up to link {number}.", number - after));
    Ok(())
}

/// A part of an export.
struct Part {
    lines: Vec<u8>,
    /// Where in it the line begins that says where the chain stands.
    head: usize,
    /// The link that is the last in it.
    number: u64,
}

/// The part that follows this link. What does not hold is exported all the same: it is what the hub has.
async fn part(hub: &Hub, after: u64, chain: &mut Checker) -> Result<Part, Failure> {
    let lines = hub.audit_export(after, LINKS_AT_ONCE).await?;
    let (mut at, mut last) = (0, (0, None));
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        chain.line(text);
        last = (at, head_of(text));
        at += line.len();
    }
    let (head, Some(number)) = last else {
        let what = format!("the hub broke off its export after link {after}; what came before is kept");
        return Err(Failure::new(Exit::Unreachable, what).remedy("call it again with the same file: it goes on there"));
    };
    Ok(Part { lines, head, number })
}

/// The link that a line names as the one where the chain stands.
fn head_of(line: &[u8]) -> Option<u64> {
    let line: serde_json::Value = serde_json::from_slice(line).ok()?;
    line.get("head")?.get("number")?.as_u64()
}

fn does_not_follow(after: u64) -> Failure {
    let what = format!("what the hub has after link {after} does not follow the file; the file is as it was");
    let remedy = "export into another file, and compare both with `sortie audit verify FILE --earlier OTHER`";
    Failure::new(Exit::DoesNotHold, what).remedy(remedy)
}
