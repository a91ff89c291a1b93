//! Running cargo and other programs, and knowing where the build puts things.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What every command of ours ends with: nothing, or a sentence that says why not.
pub(crate) type Done = Result<(), String>;

/// The top folder of the repository.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_path_buf)
}

/// The cargo that started us, in the repository's top folder.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    // Cargo sets these for xtask's own run; the programs that we start are not xtask.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
    command
}

/// Runs a command with its output in plain sight and fails if it does.
pub(crate) fn must(command: &mut Command) -> Done {
    let shown = show(command);
    let status = command.status().map_err(|error| format!("`{shown}` could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// What a command prints on stdout, if it ends well. Its complaints are not shown.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Where a program of this name lies on the search path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The folder into which cargo builds, wherever the environment or a configuration put it.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let told = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]));
    let told = told.ok_or("`cargo metadata` does not answer; is Cargo.toml in order?")?;
    let after = told.split_once("\"target_directory\":\"").ok_or("`cargo metadata` names no target folder")?.1;
    let path = after.split('"').next().unwrap_or(after);
    Ok(PathBuf::from(path.replace("\\\\", "\\")))
}
