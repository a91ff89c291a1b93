//! The samples under `deploy/` fit the programs that they are for: what all of them need, and the systemd units.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use stories::{Program, Scene, on_sqlite};

use crate::setup::restore;

on_sqlite!(
    systemd_can_read_the_units,
    every_folder_that_a_unit_writes_is_made_by_it,
    the_nightly_backup_is_one_of_which_a_hub_can_be_restored,
);

/// Where the samples are.
pub(crate) fn samples() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository");
    root.join("deploy")
}

/// A sample's text.
pub(crate) fn sample(path: &str) -> String {
    std::fs::read_to_string(samples().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every unit with its text.
fn units() -> BTreeMap<String, String> {
    let folder = std::fs::read_dir(samples().join("systemd")).expect("the units are there").flatten();
    // Drop-ins lie in folders.
    let units = folder.filter(|entry| entry.path().is_file());
    let units = units.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let units: BTreeMap<_, _> = units.map(|name| (name.clone(), sample(&format!("systemd/{name}")))).collect();
    assert_eq!(units.len(), 5);
    units
}

/// All words that a unit gives this key.
fn words<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(name, _)| *name == key).flat_map(|(_, value)| value.split_whitespace()).collect()
}

async fn systemd_can_read_the_units(scene: Scene) {
    let folder = scene.folder().join("units");
    std::fs::create_dir(&folder).unwrap();
    let written = units().into_iter().map(|(name, text)| {
        // The programs are where they were built; the longer name first, since the other begins it.
        let text = text.replace("/usr/bin/sortie-agent", &Program::SlimAgent.path().display().to_string());
        let text = text.replace("/usr/bin/sortie ", &format!("{} ", Program::Sortie.path().display()));
        let unit = folder.join(name);
        std::fs::write(&unit, text).unwrap();
        unit
    });
    let mut verify = Command::new("systemd-analyze");
    verify.arg("verify").arg("--man=no").args(written);
    let verified = verify.output().expect("`cargo xtask test` installs systemd-analyze where it is missing");
    let complaints = String::from_utf8_lossy(&verified.stderr);
    let complaints: Vec<&str> = complaints.lines().filter(|line| line.contains("sortie")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// systemd makes what `StateDirectory` names, for the unit's user, and nothing that another setting names.
async fn every_folder_that_a_unit_writes_is_made_by_it(_: Scene) {
    let units = units();
    let made = |unit: &str| -> Vec<String> {
        words(unit, "StateDirectory").into_iter().map(|name| format!("/var/lib/{name}")).collect()
    };
    let lies_in = |path: &str, folders: &[String]| folders.iter().any(|folder| Path::new(path).starts_with(folder));
    let by_any: Vec<String> = units.values().flat_map(|unit| made(unit)).collect();
    for (name, unit) in &units {
        let own = made(unit);
        for path in words(unit, "ReadWritePaths") {
            assert!(lies_in(path, &own), "{name} cannot start: nobody makes {path}");
        }
        let command = words(unit, "ExecStart");
        for pair in command.windows(2).filter(|pair| pair[1].starts_with("/var/")) {
            // The helper looks into the agent's folder and writes none of it.
            let folders = if pair[0] == "--agent-data" { &by_any } else { &own };
            assert!(lies_in(pair[1], folders), "{name}: nobody makes {} {}", pair[0], pair[1]);
        }
    }
}

async fn the_nightly_backup_is_one_of_which_a_hub_can_be_restored(scene: Scene) {
    let hub = scene.hub().start().await;
    let units = units();
    let unit = &units["sortie-backup.service"];
    let folder = |name: &str| if name == "sortie" { hub.data() } else { scene.folder().join(name) };
    let command: Vec<String> = words(unit, "ExecStart")[1..]
        .iter()
        .map(|word| match word.strip_prefix("/var/lib/").map(|path| path.split_once('/').unwrap_or((path, ""))) {
            Some((name, "")) => folder(name).display().to_string(),
            Some((name, file)) => folder(name).join(file).display().to_string(),
            None => (*word).to_owned(),
        })
        .collect();
    for name in words(unit, "StateDirectory").into_iter().filter(|name| *name != "sortie") {
        std::fs::create_dir(folder(name)).unwrap();
    }
    // Every night again, over the file of the night before.
    for _ in 0..2 {
        Program::Sortie.run(&command).well();
    }
    let file = command.last().expect("it says where to");
    let restored = hub.plan().anew("restored");
    hub.kill().await;
    restore(&restored, Path::new(file)).well();
    assert_eq!(restored.start().await.people().whoami().await.unwrap().name, "admin");
}
