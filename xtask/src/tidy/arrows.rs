//! Who may know whom. A crate of the house exists to guard a border, so a dependency between two of
//! them must be one that the plan has (ARCHITECTURE.md draws it).

use super::finding::Finding;
use super::tree::{File, Tree};

/// Whom a crate may know.
enum Knows {
    /// These, by their folders.
    Only(&'static [&'static str]),
    /// Anyone: it stands outside the house and looks at all of it.
    Anyone,
}

/// The plan, by folder. A builders' room may know everyone; nobody may know a builders' room, but
/// for `tests/counterparts`, which tests of any crate may start.
const PLAN: [(&str, Knows); 14] = [
    ("crates/rules", Knows::Only(&[])),
    ("crates/wire", Knows::Only(&["crates/rules"])),
    ("crates/client", Knows::Only(&["crates/wire", "crates/rules"])),
    ("crates/store", Knows::Only(&["crates/rules"])),
    ("crates/hub", Knows::Only(&["crates/wire", "crates/store", "crates/rules"])),
    ("crates/agent", Knows::Only(&["crates/client", "crates/wire", "crates/rules"])),
    ("crates/sortie", Knows::Only(&["crates/hub", "crates/agent", "crates/client", "crates/wire", "crates/rules"])),
    ("crates/cohort", Knows::Only(&[])),
    ("tests", Knows::Anyone),
    ("tests/counterparts", Knows::Only(&[])),
    ("tests/model", Knows::Only(&["crates/rules"])),
    ("fuzz", Knows::Anyone),
    ("bench", Knows::Anyone),
    ("xtask", Knows::Anyone),
];
const FOR_TESTS: &str = "tests/counterparts";

/// Every crate of ours is in the plan, takes the house's lints, and knows only whom it may.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests: Vec<(&File, Manifest)> = tree
        .files
        .iter()
        .filter(|file| file.name() == "Cargo.toml" && file.path != "Cargo.toml")
        .map(|file| (file, Manifest::read(&file.text)))
        .collect();
    let folder_of = |dependency: &Dependency| {
        let named = manifests.iter().find(|(_, manifest)| manifest.package == dependency.package);
        named.map(|(file, _)| file.folder().to_owned())
    };
    let mut findings = Vec::new();
    for (file, manifest) in &manifests {
        let folder = file.folder();
        if !manifest.takes_lints {
            let remedy = "add `[lints]` with `workspace = true`";
            findings.push(Finding::new(&file.path, 1, "this crate does not take the workspace's lints", remedy));
        }
        let Some((_, knows)) = PLAN.iter().find(|(planned, _)| *planned == folder) else {
            let remedy = "make it a folder of an existing crate; if the compiler must guard a new border, add it to \
                          the plan in xtask/src/tidy/arrows.rs and to ARCHITECTURE.md";
            findings.push(Finding::new(&file.path, 1, format!("the plan has no crate at `{folder}`"), remedy));
            continue;
        };
        for dependency in &manifest.dependencies {
            let Some(other) = folder_of(dependency) else { continue };
            let allowed = match knows {
                _ if other == FOR_TESTS => dependency.for_tests || matches!(knows, Knows::Anyone),
                Knows::Anyone => true,
                Knows::Only(list) => list.contains(&other.as_str()),
            };
            if !allowed {
                let reason = format!("the plan has no arrow from `{folder}` to `{other}`");
                let remedy = "let the deciding part move to crates/rules, or pass the value in as an argument";
                findings.push(Finding::new(&file.path, dependency.line, reason, remedy));
            }
        }
    }
    findings
}

/// What a Cargo.toml says, as far as the plan is concerned.
#[derive(Default)]
struct Manifest {
    package: String,
    takes_lints: bool,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    line: usize,
    package: String,
    for_tests: bool,
}

impl Manifest {
    /// Reads it line by line: our manifests have one dependency a line, or one a section.
    fn read(text: &str) -> Manifest {
        let mut manifest = Manifest::default();
        let mut section = String::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.trim().to_owned();
                // `[dependencies.sortie-wire]`
                if let Some((before, package)) = section.rsplit_once("dependencies.") {
                    let package = package.trim_matches(['"', '\'']).to_owned();
                    manifest.dependencies.push(Dependency {
                        line: index + 1,
                        package,
                        for_tests: before.ends_with("dev-"),
                    });
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim().trim_matches('"'), value.trim());
            if section == "package" && key == "name" {
                manifest.package = value.trim_matches('"').to_owned();
            } else if section == "lints" && key == "workspace" || section.is_empty() && key == "lints.workspace" {
                manifest.takes_lints = value == "true";
            } else if section.ends_with("dependencies") {
                let renamed = value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
                let package = renamed.unwrap_or(key.split('.').next().unwrap_or(key)).to_owned();
                let for_tests = section.ends_with("dev-dependencies");
                manifest.dependencies.push(Dependency { line: index + 1, package, for_tests });
            }
        }
        manifest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_of(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n{rest}")
    }

    fn found(path: &str, dependencies: &str) -> Vec<Finding> {
        let rules = crate_of("sortie-rules", "");
        let hub = crate_of("sortie-hub", "");
        let counterparts = crate_of("counterparts", "");
        let mine = crate_of("mine", dependencies);
        check(&Tree::of(&[
            ("crates/rules/Cargo.toml", &rules),
            ("crates/hub/Cargo.toml", &hub),
            ("tests/counterparts/Cargo.toml", &counterparts),
            (path, &mine),
        ]))
    }

    #[test]
    fn an_arrow_of_the_plan_is_free() {
        let dependencies = "[dependencies]\nserde = \"1\"\nsortie-rules.workspace = true\n";
        assert_eq!(found("crates/wire/Cargo.toml", dependencies), []);
        assert_eq!(found("tests/Cargo.toml", "[dependencies]\nsortie-hub = { workspace = true }\n"), []);
    }

    #[test]
    fn an_arrow_against_the_plan_is_found_however_it_is_written() {
        for dependencies in [
            "[dependencies]\nsortie-hub = { workspace = true }\n",
            "[dependencies]\nsortie-hub.workspace = true\n",
            "[dependencies.sortie-hub]\npath = \"../hub\"\n",
            "[dependencies]\ninner = { package = \"sortie-hub\", path = \"../hub\" }\n",
            "[dev-dependencies]\nsortie-hub = { workspace = true }\n",
            "[target.'cfg(unix)'.dependencies]\nsortie-hub = { path = \"../hub\" }\n",
        ] {
            let findings = found("crates/agent/Cargo.toml", dependencies);
            assert_eq!(findings.len(), 1, "{dependencies}");
            assert!(findings[0].reason.contains("from `crates/agent` to `crates/hub`"), "{findings:?}");
        }
    }

    #[test]
    fn only_tests_may_start_counterparts() {
        assert_eq!(found("crates/store/Cargo.toml", "[dev-dependencies]\ncounterparts.workspace = true\n"), []);
        assert_eq!(found("crates/store/Cargo.toml", "[dependencies]\ncounterparts.workspace = true\n").len(), 1);
    }

    #[test]
    fn a_crate_outside_the_plan_or_without_lints_is_found() {
        let reasons = |path| found(path, "").into_iter().map(|f| f.reason).collect::<Vec<_>>();
        assert_eq!(reasons("crates/extra/Cargo.toml"), ["the plan has no crate at `crates/extra`"]);
        let bare = Tree::of(&[("crates/wire/Cargo.toml", "[package]\nname = \"sortie-wire\"\n")]);
        assert!(check(&bare)[0].reason.contains("lints"));
    }
}
