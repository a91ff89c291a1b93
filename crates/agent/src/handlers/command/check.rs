//! Whether the program that the policy names can be run, and may be.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sortie_rules::tasks::Code;

use crate::handlers::Failure;
use crate::policy::{Kind, Policy};

/// The types whose program cannot be run as things are, each with a sentence that says why. What runs as
/// another user is left to the helper, who may see more.
pub fn unusable_programs(policy: &Policy) -> Vec<(String, String)> {
    let why = |(name, handling): (&String, &crate::policy::Handling)| match &handling.kind {
        Kind::Command(command) if command.user.is_none() => match check(&command.program) {
            Err(Failure::Failed { message, .. }) => Some((name.clone(), message)),
            _ => None,
        },
        _ => None,
    };
    policy.handlers.iter().filter_map(why).collect()
}

/// Refuses a program that is not there, cannot be executed, or that anybody may change.
pub(super) fn check(program: &Path) -> Result<(), Failure> {
    let shown = program.display();
    let failed = |code, message: String| Err(Failure::failed(code, message, false));
    let meta = match std::fs::metadata(program) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return failed(Code::HANDLER_NOT_EXECUTABLE, format!("the agent may not reach {shown}: {error}"));
        }
        Err(error) => {
            return failed(Code::HANDLER_MISSING, format!("{shown}, which the policy names, is not there: {error}"));
        }
    };
    let mode = meta.permissions().mode();
    if !meta.is_file() || mode & 0o111 == 0 {
        let message = format!("{shown}, which the policy names, is not an executable file; chmod +x makes it one");
        return failed(Code::HANDLER_NOT_EXECUTABLE, message);
    }
    if mode & 0o002 != 0 {
        let message = format!("{shown}, which the policy names, can be changed by anybody; chmod o-w mends it");
        return failed(Code::HANDLER_UNSAFE, message);
    }
    if !is_program(program).unwrap_or(true) {
        let message = format!("{shown} cannot be executed: it is neither a program nor a script with a #! line");
        return failed(Code::HANDLER_NOT_EXECUTABLE, message);
    }
    Ok(())
}

/// What the kernel would execute. The C library hands anything else to a shell, and there is no shell
/// here. What may be executed and not read is left to the kernel.
fn is_program(file: &Path) -> std::io::Result<bool> {
    let mut magic = [0; 4];
    let read = std::fs::File::open(file)?.read(&mut magic)?;
    Ok(magic[..read].starts_with(b"#!") || &magic[..read] == b"\x7fELF")
}
