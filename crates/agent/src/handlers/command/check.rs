//! Whether the program that the policy names can be run, and may be.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sortie_rules::tasks::Code;

use crate::handlers::Failure;
use crate::policy::{Command, Kind, Policy};

/// The tables of a policy whose program cannot be run as things are, as they are written, each with a sentence that
/// says why. What runs as another user is left to the helper, who may see more.
pub fn unusable_programs(policy: &Policy) -> Vec<(String, String)> {
    let of_handlers = policy.handlers.iter().filter_map(|(name, handling)| match &handling.kind {
        Kind::Command(command) if command.user.is_none() => Some((format!("[handlers.\"{name}\"]"), command)),
        _ => None,
    });
    let of_appliers = policy.desired.appliers.iter().flat_map(|(name, applier)| {
        let table = |key: &str| format!("[appliers.\"{name}\"] {key}");
        [(table("check"), &applier.check), (table("apply"), &applier.apply)]
    });
    let of_services = policy.desired.programs.iter();
    let of_services = of_services.map(|(name, program)| (format!("[desired_services.programs.\"{name}\"]"), program));
    let of_reports = policy.reports.programs.iter();
    let of_reports = of_reports.map(|(name, program)| (format!("[reports.{name}]"), &program.command));
    let all = of_handlers.chain(of_appliers).chain(of_services).chain(of_reports);
    let why = |(table, command): (String, &Command)| match check(&command.program) {
        Err(Failure::Failed { message, .. }) => Some((table, message)),
        _ => None,
    };
    all.filter_map(why).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_that_a_policy_names_and_that_cannot_be_run_is_told_with_its_table() {
        let scratch = tempfile::tempdir().unwrap();
        let good = scratch.path().join("good");
        std::fs::write(&good, "#!/bin/true\n").unwrap();
        std::fs::set_permissions(&good, std::fs::Permissions::from_mode(0o755)).unwrap();
        let plain = scratch.path().join("plain");
        std::fs::write(&plain, "text").unwrap();
        let text = format!(
            "[handlers.\"a.b\"]\nkind = \"command\"\nprogram = {good:?}\n\
             [handlers.\"a.c\"]\nkind = \"command\"\nprogram = \"/nowhere/handler\"\n\
             [appliers.\"storage.policy\"]\ncheck = [{good:?}, \"check\"]\napply = [{plain:?}, \"apply\"]\n\
             [desired_services.programs.player]\nprogram = \"/nowhere/player\"\n\
             [reports.storage]\nkind = \"storage\"\nprogram = \"/nowhere/storage.py\"\n\
             [reports.fine]\nkind = \"fine\"\nprogram = {good:?}\n"
        );
        let found = unusable_programs(&Policy::parse(&text, Path::new("p")).unwrap());
        let tables: Vec<&str> = found.iter().map(|(table, _)| table.as_str()).collect();
        let expected = [
            "[handlers.\"a.c\"]",
            "[appliers.\"storage.policy\"] apply",
            "[desired_services.programs.\"player\"]",
            "[reports.storage]",
        ];
        assert_eq!(tables, expected);
        assert!(found[0].1.contains("is not there") && found[1].1.contains("is not an executable file"), "{found:?}");
    }
}
