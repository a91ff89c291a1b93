//! The command line is a border: its help stands in files under review, and every command is parsed
//! here at least once as a person would type it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

/// Every command with its path, such as `task-submit`, and its help.
fn helps() -> Vec<(String, String)> {
    fn visit(command: &mut clap::Command, path: &str, helps: &mut Vec<(String, String)>) {
        helps.push((path.to_owned(), command.render_long_help().to_string()));
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        for name in names.into_iter().filter(|name| name != "help") {
            if let Some(sub) = command.find_subcommand_mut(&name) {
                visit(sub, &format!("{path}-{name}"), helps);
            }
        }
    }
    // Wide enough for no line to break, so that the files do not depend on how clap wraps.
    let mut command = sortie::command().term_width(0);
    command.build();
    let mut helps = Vec::new();
    visit(&mut command, "sortie", &mut helps);
    helps
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("help")
}

#[test]
fn the_help_of_every_command_is_the_one_that_was_reviewed() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut stale: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    stale.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let mut differing = Vec::new();
    for (name, help) in helps() {
        let file = folder().join(format!("{name}.txt"));
        let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
        stale.retain(|path| *path != file);
        if fs::read_to_string(&file).unwrap_or_default() != help {
            if update {
                fs::write(&file, help).unwrap();
            } else {
                differing.push(name);
            }
        }
    }
    if update {
        stale.iter().for_each(|path| fs::remove_file(path).unwrap());
        return;
    }
    assert!(
        differing.is_empty() && stale.is_empty(),
        "the help of {differing:?} is not what tests/help holds (not of any command: {stale:?}); \
         look at the change with `UPDATE=1 cargo test -p sortie --test command_line && git diff`"
    );
}

#[test]
fn every_command_stands_in_the_guide() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (mut missing, names) = (Vec::new(), helps().into_iter().map(|(path, _)| path).collect::<Vec<_>>());
    for name in &names {
        let is_noun = names.iter().any(|other| other.starts_with(&format!("{name}-")));
        let (spelled, verb) = (name.replace('-', " "), name.rsplit('-').next().unwrap_or_default());
        // A table row may name several verbs of one noun.
        // A verb may be of two words; the name of its file does not tell.
        let two_words = spelled.rsplit_once(' ').map(|(noun, word)| format!("{noun}-{word}")).unwrap_or_default();
        let found = [&spelled, &two_words, &format!("`{verb} ")].iter().any(|wanted| guide.contains(wanted.as_str()));
        if !is_noun && !found && name != "sortie-exit-codes" {
            missing.push(spelled);
        }
    }
    assert!(missing.is_empty(), "docs/command.md has no example of {missing:?}");
}

fn parse(line: &str) -> Result<(), ErrorKind> {
    let words = std::iter::once("sortie").chain(line.split_whitespace());
    sortie::command().try_get_matches_from(words).map(|_| ()).map_err(|error| error.kind())
}

#[test]
fn what_people_type_is_understood() {
    const ID: &str = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    for line in [
        "hub --data d",
        "hub --data d --listen 127.0.0.1:8443 --config hub.toml",
        "hub --print-config",
        "agent enroll --data d --invite sortie-invite-1.x",
        "agent run --data d",
        "demo --once --json",
        "demo --keep d",
        "invite create --node box --site s --kind k --label a=b --label c=d --valid-for 1h --replace --hub https://h",
        "invite list --data d",
        "invite revoke ID",
        "token create --name ci --role operator --valid-for 90d",
        "token list",
        "token revoke ID",
        "settings list",
        "settings get sessions.idle_seconds",
        "settings set sessions.idle_seconds 30m",
        "settings reset sessions.idle_seconds --data d",
        "settings evict",
        "settings evict sessions.idle_seconds --json",
        "task submit sys.info --node box",
        "task submit sleep --node box --payload {\"ms\":1} --priority -5 --not-before +10m \
         --not-after 2030-01-01T00:00:00Z --max-retries 0 --lease 5m --key k --wait --timeout 10m",
        "task submit sleep --node box --payload -",
        "task list --node box --status pending,in_progress --type sleep --dead --limit 5",
        "task list --all --json",
        "task --data d list",
        "task show ID",
        "task watch ID --timeout 1m",
        "task cancel ID",
        "task requeue ID --profile p",
        "task types",
        "task types sleep",
        "summary --data d --json",
        "status",
        "node list --site s --kind k --presence down --label a=b",
        "node show box",
        "node set box --site s --kind k --label a=b --no-label c --stale-after 10m --down-after 0",
        "node readmit box",
        "node revoke box",
        "site list",
        "site put s --name S",
        "event list --after 9 --kind task --node box --task ID --limit 3",
        "whoami",
        "profile add p --hub https://h --token-file t --ca c",
        "profile list",
        "profile use p",
        "profile remove p",
        "profile trust p ca.pem",
        "backup --data d --to f",
        "backup --data d --config c --to - --yes",
        "restore --data d --from f --json",
        "store copy --from d --to postgres://u@h/d",
        "migrate --check --data d --json",
        "doctor --data d --json",
        "completions bash",
        "exit-codes",
    ] {
        assert_eq!(parse(&line.replace("ID", ID)), Ok(()), "{line}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_done() {
    for (line, kind) in [
        ("hub", ErrorKind::MissingRequiredArgument),
        ("task submit sleep", ErrorKind::MissingRequiredArgument),
        ("task submit sleep --node a --priority 101", ErrorKind::ValueValidation),
        ("task submit sleep --node a --lease 5", ErrorKind::ValueValidation),
        ("task submit sleep --node a --not-before tomorrow", ErrorKind::ValueValidation),
        ("task submit sleep --node a --timeout 1m", ErrorKind::MissingRequiredArgument),
        ("task show 17", ErrorKind::ValueValidation),
        ("task list --status done", ErrorKind::ValueValidation),
        ("task list --limit 5 --all", ErrorKind::ArgumentConflict),
        ("task list --limit 0", ErrorKind::ValueValidation),
        ("task list --data d --profile p", ErrorKind::ArgumentConflict),
        ("token create --name ci --role root", ErrorKind::ValueValidation),
        ("invite create", ErrorKind::MissingRequiredArgument),
        ("invite create --node a --label ring", ErrorKind::ValueValidation),
        ("settings set sessions.idle_seconds", ErrorKind::MissingRequiredArgument),
        ("profile add No --hub https://h --token-file t", ErrorKind::ValueValidation),
        ("backup --data d", ErrorKind::MissingRequiredArgument),
        ("restore --from f", ErrorKind::MissingRequiredArgument),
        ("store copy --from d --to mysql://h/d", ErrorKind::ValueValidation),
        ("completions cmd", ErrorKind::InvalidValue),
        ("tsk list", ErrorKind::InvalidSubcommand),
    ] {
        assert_eq!(parse(line), Err(kind), "{line}");
    }
}
