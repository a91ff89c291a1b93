//! `sortie pack new`: a working pack to begin from.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;
use sortie_rules::names::check_name;

use crate::exit::{Done, Failure};
use crate::output::Output;

/// The files, each with its name and the bits of its mode.
const FILES: [(&str, u32, &str); 5] = [
    ("pack.toml", 0o644, include_str!("template/pack.toml")),
    ("README.md", 0o644, include_str!("template/README.md")),
    ("schemas/count.payload.json", 0o644, include_str!("template/count.payload.json")),
    ("schemas/count.result.json", 0o644, include_str!("template/count.result.json")),
    ("handlers/count", 0o755, include_str!("template/count")),
];

/// What it takes.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The pack's name
    name: String,
    /// Where to put it [default: a folder of that name]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Writes the pack. What is there already is not touched.
pub(super) fn run(asked: &New, output: Output) -> Done {
    check_name("pack", &asked.name).map_err(|error| Failure::usage(error.to_string()))?;
    let folder = asked.folder.clone().unwrap_or_else(|| PathBuf::from(&asked.name));
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let failure = Failure::usage(format!("{} is there and not empty", folder.display()));
        return Err(failure.remedy("choose another folder, or empty this one"));
    }
    for (file, mode, text) in FILES {
        let path = folder.join(file);
        let write = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
            std::io::Write::write_all(&mut file, text.replace("NAME", &asked.name).as_bytes())
        };
        write().map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))?;
    }
    let shown = folder.display();
    output.say(&format!("A pack with the task type `{}.count` is in {shown}. What to do with it:", asked.name));
    output.say(&format!("  sortie pack check {shown}      whenever you have changed it"));
    output.say(&format!("  sortie pack policy {shown}     what the site adds to its policy.toml"));
    output.say("  README.md in it                the way from here to a task that runs");
    Ok(())
}
