//! What the tests need beyond Rust and a C compiler, and how a fresh Debian machine comes by it.
//!
//! As root on a machine with apt it is installed; otherwise the exact commands are printed and
//! the run ends, since half a test run is worse than none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use counterparts::{NODE_FILES, REQUIREMENTS, node_folder, python_folder};

use crate::programs::{Done, cargo, must, on_path, output, root};

/// The version that is installed where there is none. Any version that `.config/nextest.toml`
/// accepts will do.
const NEXTEST_VERSION: &str = "0.9.143";

/// Sees to everything that `cargo xtask test` needs.
pub(crate) fn all_for_tests() -> Done {
    c_compiler()?;
    debian_packages()?;
    python_packages()?;
    node_packages()?;
    rust_components()?;
    nextest()
}

/// Names the one thing that cannot be done without and that cargo only complains of at the end.
pub(crate) fn c_compiler() -> Done {
    if on_path("cc").is_some() {
        return Ok(());
    }
    Err("there is no C compiler `cc`; on Debian: apt-get install gcc libc6-dev".into())
}

/// The PostgreSQL server, which Debian keeps off the search path; strace, with which the stories stop
/// programs in the middle of a write; curl, which reads streams; ssh-keygen, with which operators sign; Chromium,
/// which looks at pages; Orthanc, a real imaging server; nginx, a proxy that ends TLS; NATS, a broker of messages;
/// iproute2, which makes networks that break; HAProxy, the balancer of our sample; faketime, which
/// moves the clock of a program; systemd, which reads the sample units; restic, which makes backups of boxes; and
/// Python and Node, in which some counterparts are written.
fn debian_packages() -> Done {
    let mut missing = Vec::new();
    if initdb().is_none() {
        missing.push("postgresql");
    }
    if on_path("strace").is_none() {
        missing.push("strace");
    }
    if on_path("curl").is_none() {
        missing.push("curl");
    }
    if on_path("ssh-keygen").is_none() {
        missing.push("openssh-client");
    }
    for (program, package) in [("chromium", "chromium"), ("chromedriver", "chromium-driver")] {
        if on_path(program).is_none() {
            missing.push(package);
        }
    }
    if on_path("nginx").is_none() && !Path::new("/usr/sbin/nginx").is_file() {
        missing.push("nginx");
    }
    if on_path("nats-server").is_none() && !Path::new("/usr/sbin/nats-server").is_file() {
        missing.push("nats-server");
    }
    if on_path("restic").is_none() {
        missing.push("restic");
    }
    for (program, package) in [("ip", "iproute2"), ("haproxy", "haproxy")] {
        if on_path(program).is_none() && !Path::new("/usr/sbin").join(program).is_file() {
            missing.push(package);
        }
    }
    for (program, package) in [("faketime", "faketime"), ("systemd-analyze", "systemd")] {
        if on_path(program).is_none() {
            missing.push(package);
        }
    }
    if on_path("Orthanc").is_none() {
        missing.push("orthanc");
    }
    if !has_orthanc_python() {
        missing.push("orthanc-python");
    }
    // Handlers of stories are written for the system's own Python.
    if !Path::new("/usr/bin/python3").is_file() {
        missing.push("python3");
    }
    // Debian's Python comes without the part that makes virtual environments.
    if output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_none() {
        missing.push("python3-venv");
    }
    for (program, package) in [("node", "nodejs"), ("npm", "npm")] {
        if on_path(program).is_none() {
            missing.push(package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    let by_hand = format!(
        "the tests need `{packages}`, which this machine lacks. As root on Debian:\n\n    \
         apt-get update && apt-get install --no-install-recommends {packages}\n\n\
         The PostgreSQL service that comes with the package is not needed; the tests start a private server."
    );
    if on_path("apt-get").is_none() || !is_root() {
        return Err(by_hand);
    }
    println!("Installing {packages} (the tests need it, this machine lacks it)");
    let install = || {
        must(&mut apt_get(&["update"]))?;
        let guard = NoServices::raise()?;
        let installed = must(apt_get(&["install", "--yes", "--no-install-recommends"]).args(&missing));
        drop(guard);
        installed
    };
    install().map_err(|reason| format!("{reason}\n\n{by_hand}"))
}

/// Orthanc's plugin for Python, wherever its version is.
fn has_orthanc_python() -> bool {
    let plugins = fs::read_dir("/usr/lib/orthanc").into_iter().flatten().flatten();
    plugins.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("libOrthancPython"))
}

fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").args(args).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

/// `initdb` of any installed PostgreSQL server.
fn initdb() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/initdb")).find(|file| file.is_file()).or_else(|| on_path("initdb"))
}

/// While this stands, installing a package starts no service.
struct NoServices {
    raised: bool,
}

impl NoServices {
    const PATH: &str = "/usr/sbin/policy-rc.d";
    const MARK: &str = "# by `cargo xtask test`, for the length of one installation";

    fn raise() -> Result<NoServices, String> {
        let path = Path::new(Self::PATH);
        let is_ours = fs::read_to_string(path).is_ok_and(|text| text.contains(Self::MARK));
        if path.exists() && !is_ours {
            return Ok(NoServices { raised: false }); // The machine has a rule of its own, which stands.
        }
        let say = |error| format!("{}: {error}", Self::PATH);
        fs::write(path, format!("#!/bin/sh\n{}\nexit 101\n", Self::MARK)).map_err(say)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(say)?;
        Ok(NoServices { raised: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.raised && fs::remove_file(Self::PATH).is_err() {
            eprintln!("{} is still there; please remove it.", Self::PATH);
        }
    }
}

/// What the tests talk to that comes from PyPI, in a virtual environment under the user's cache. It is
/// made anew when the list has changed.
fn python_packages() -> Done {
    let folder = python_folder();
    let mark = folder.join("requirements.txt");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(());
    }
    println!("Installing the Python packages of tests/counterparts/requirements.txt");
    let _ = fs::remove_dir_all(&folder);
    must(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let list = root().join("tests/counterparts/requirements.txt");
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(list);
    must(&mut install)?;
    // The mark comes last, so that an installation that was cut is not taken for one that was not.
    fs::write(&mark, REQUIREMENTS).map_err(|error| format!("{}: {error}", mark.display()))
}

/// What the tests talk to that comes from npm, in a folder under the user's cache, as the lock says. It is
/// made anew when the lock has changed.
fn node_packages() -> Done {
    let folder = node_folder();
    let mark = folder.join("installed.json");
    let lock = NODE_FILES.iter().find(|(name, _)| *name == "package-lock.json").map_or("", |(_, text)| text);
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("Installing the Node packages of tests/counterparts/node/package.json");
    let say = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| say(&folder, error))?;
    for (name, text) in NODE_FILES {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| say(&path, error))?;
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    must(&mut install)?;
    // The mark comes last, as above.
    fs::write(&mark, lock).map_err(|error| say(&mark, error))
}

/// rustfmt and clippy, which a minimal Rust installation leaves out.
fn rust_components() -> Done {
    let answers = |name| output(&mut cargo(&[name, "--version"])).is_some();
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter_map(|(command, component)| (!answers(command)).then_some(component))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("rustup component add {}", missing.join(" "));
    if on_path("rustup").is_none() {
        return Err(format!("this Rust has no {}; with rustup: {by_hand}", missing.join(" and no ")));
    }
    println!("Adding {} to this Rust", missing.join(" and "));
    must(Command::new("rustup").args(["component", "add"]).args(&missing))
        .map_err(|reason| format!("{reason}; please see to it that `{by_hand}` works"))
}

/// The test runner. Built from source, since that works wherever Sortie itself can be built.
fn nextest() -> Done {
    if output(&mut cargo(&["nextest", "--version"])).is_some() {
        return Ok(());
    }
    println!("Installing cargo-nextest {NEXTEST_VERSION}, the test runner (built once, some minutes)");
    // `default-no-update` leaves out the self-updater, which is of no use here.
    let mut install = cargo(&["install", "--locked", "cargo-nextest", "--version", NEXTEST_VERSION]);
    install.args(["--no-default-features", "--features", "default-no-update"]);
    // Not into the project's build folder, which is kept; what this leaves behind is not needed again.
    install.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_INCREMENTAL");
    must(&mut install)
}
