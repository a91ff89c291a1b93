//! Lets somebody change a text in the editor of their choice.

use std::io::IsTerminal as _;
use std::process::Command;

use crate::context::Env;
use crate::exit::Failure;

/// The editor where nobody has chosen one.
const USUAL: &str = "vi";

/// The text as it was left. `name` is what the file is called, so that the editor knows what is in it.
pub(super) fn edited(text: &str, name: &str, env: &Env) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() && env.get("VISUAL").is_none() && env.get("EDITOR").is_none() {
        return Err(
            Failure::usage("nobody is there to edit it").remedy("give the state with --file FILE, or - for stdin")
        );
    }
    let failed = |what: &str, error: std::io::Error| Failure::other(format!("{what}: {error}"));
    let folder =
        tempfile::Builder::new().prefix("sortie-").tempdir().map_err(|error| failed("no room to edit", error))?;
    let file = folder.path().join(name);
    std::fs::write(&file, text).map_err(|error| failed("no room to edit", error))?;
    let chosen = env.get("VISUAL").or_else(|| env.get("EDITOR")).filter(|chosen| !chosen.trim().is_empty());
    let chosen = chosen.unwrap_or_else(|| USUAL.to_owned());
    let mut words = chosen.split_whitespace();
    let program = words.next().unwrap_or(USUAL);
    let ended = Command::new(program).args(words).arg(&file).status().map_err(|error| {
        failed(&format!("the editor `{program}` cannot be started"), error)
            .remedy("name another in the variable EDITOR, or give the state with --file")
    })?;
    if !ended.success() {
        return Err(Failure::other(format!("the editor `{program}` ended with {ended}; nothing was changed")));
    }
    std::fs::read_to_string(&file).map_err(|error| failed("what was edited cannot be read", error))
}
