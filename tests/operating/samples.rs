//! The samples under `deploy/` fit the programs that they are for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stories::{Ended, Program, Scene, on_sqlite};

on_sqlite!(
    every_variable_of_the_compose_file_is_a_setting,
    every_metric_of_the_dashboard_and_the_alerts_is_one_that_the_hub_has,
    systemd_can_read_the_units,
);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All words of a text that begin so.
fn words(text: &str, prefix: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let all = text.split(|letter| !is_part(letter)).filter(|word| word.starts_with(prefix));
    all.map(str::to_owned).collect()
}

async fn every_variable_of_the_compose_file_is_a_setting(scene: Scene) {
    let compose = read("deploy/compose/compose.yaml");
    let set = compose
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(key, _)| key.starts_with("SORTIE_HUB_"));
    let mut command = scene.hub().tool(&["migrate", "--check"]);
    let mut count = 0;
    for (name, value) in set {
        let value = value.trim_matches('"');
        count += 1;
        command.env(name, if name.ends_with("DATABASE_URL") { "" } else { value });
    }
    assert!(count > 3, "{compose}");
    let ended = Ended::of(&mut command);
    assert_eq!(ended.code, Some(8), "the settings are taken, and no store is there: {ended:?}");
}

async fn every_metric_of_the_dashboard_and_the_alerts_is_one_that_the_hub_has(_: Scene) {
    let mut known = BTreeSet::new();
    collect(&root().join("crates/hub/src"), &mut known);
    assert!(known.contains("sortie_loop_failing") && known.len() > 10, "{known:?}");
    let dashboard = read("deploy/monitoring/grafana-dashboard.json");
    let parsed: Value = serde_json::from_str(&dashboard).expect("a dashboard is JSON");
    let panels = parsed["panels"].as_array().expect("panels");
    let expressions = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let shown: String = expressions.map(|target| format!("{}\n", target["expr"].as_str().expect("text"))).collect();
    let alerts = read("deploy/monitoring/alerts.yml");
    for text in [shown, alerts] {
        let used = words(&text, "sortie_");
        assert!(used.len() > 5, "{used:?}");
        let plain = |name: &str| name.trim_end_matches("_count").trim_end_matches("_sum").to_owned();
        let unknown: Vec<_> = used.iter().filter(|name| !known.contains(&plain(name))).collect();
        assert!(unknown.is_empty(), "no such metric: {unknown:?}");
    }
}

/// The names in the hub's own calls of `metrics`.
fn collect(folder: &Path, known: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the source is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, known);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("source is text");
            for call in text.split("metrics::").skip(1) {
                if ["counter!(", "gauge!(", "histogram!("].iter().any(|kind| call.starts_with(kind)) {
                    known.extend(
                        words(call.lines().take(3).collect::<Vec<_>>().join(" ").as_str(), "sortie_")
                            .into_iter()
                            .take(1),
                    );
                }
            }
        }
    }
}

async fn systemd_can_read_the_units(scene: Scene) {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    let folder = scene.folder().join("units");
    std::fs::create_dir(&folder).unwrap();
    let mut units = Vec::new();
    for entry in std::fs::read_dir(root().join("deploy/systemd")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        // The programs are where they were built; the longer name first, since the other begins it.
        let text = text.replace("/usr/bin/sortie-agent", &Program::SlimAgent.path().display().to_string());
        let text = text.replace("/usr/bin/sortie ", &format!("{} ", Program::Sortie.path().display()));
        let unit = folder.join(entry.file_name());
        std::fs::write(&unit, text).unwrap();
        units.push(unit);
    }
    assert_eq!(units.len(), 5);
    let verified = Ended::of(Command::new("systemd-analyze").arg("verify").arg("--man=no").args(&units));
    let complaints: Vec<&str> = verified.stderr.lines().filter(|line| line.contains("sortie")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
