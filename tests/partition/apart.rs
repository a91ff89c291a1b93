//! Telling a story in namespaces of its own: the test starts itself once more, as the first process of a new network
//! and a new list of processes. Whatever becomes of it, the kernel takes all of that back.

use std::path::Path;
use std::process::{Command, Stdio};

/// Set where the story is told.
const INSIDE: &str = "STORY_IS_APART";
/// What is done before the story: names of networks are kept in a folder that only it can see.
const FIRST: &str = "set -e; mount -t tmpfs tmpfs /run; mkdir /run/netns; ip link set lo up; \"$@\"; exit $?";
/// A network, mounts and processes of its own.
const APART: [&str; 6] = ["--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child=KILL"];

/// Tells the story in a network of its own. `name` is the test's, as its runner knows it.
///
/// # Panics
/// If the story fails, or this machine does not let it be told; then it says what is missing.
pub(crate) fn apart(name: &str, story: impl Future<Output = ()>) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        return runtime.expect("a runtime can be made").block_on(story);
    }
    let namespaces = namespaces();
    let own = std::env::current_exe().expect("a test knows its own file");
    let status = Command::new("setpriv")
        // Should the test be killed, what it started is too.
        .args(["--pdeathsig", "KILL", "unshare"])
        .args(namespaces)
        .args(["--", "sh", "-c", FIRST, "story"])
        .arg(own)
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .status();
    let status = status.expect("`setpriv` of util-linux can be run");
    assert!(status.success(), "the story that was told apart failed; see above");
}

/// How namespaces are made here: by root as they are, by others inside a user namespace.
fn namespaces() -> Vec<&'static str> {
    let lacking = lacking();
    assert!(lacking.is_empty(), "this test needs {}; see `cargo xtask test`", lacking.join(", "));
    let mut said = String::new();
    for user in [&[][..], &["--user", "--map-root-user"]] {
        let words: Vec<&str> = user.iter().copied().chain(APART).collect();
        let roads =
            "mount -t tmpfs tmpfs /run && ip link add near type veth peer name far && ip tuntap add bad mode tun";
        let tried = Command::new("unshare").args(&words).args(["--", "sh", "-c", roads]).output();
        let tried = tried.expect("`unshare` of util-linux can be run");
        if tried.status.success() {
            return words;
        }
        said.push_str(&String::from_utf8_lossy(&tried.stderr));
    }
    panic!(
        "this test tells its story in Linux namespaces of its own, and may not make them here:\n{said}\n\
         As root, or with user namespaces (sysctl kernel.unprivileged_userns_clone=1 and, on Ubuntu, \
         kernel.apparmor_restrict_unprivileged_userns=0) and a /dev/net/tun that everybody may open (modprobe tun), it \
         may. In a container: run that with --privileged, or with --cap-add SYS_ADMIN --cap-add NET_ADMIN \
         --security-opt seccomp=unconfined --security-opt apparmor=unconfined --device /dev/net/tun."
    );
}

/// The packages and devices that are not there.
fn lacking() -> Vec<&'static str> {
    let is_there = |program: &str| {
        ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
    };
    let programs = [("ip", "iproute2"), ("unshare", "util-linux"), ("nsenter", "util-linux"), ("haproxy", "haproxy")];
    let mut lacking: Vec<&str> =
        programs.into_iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| package).collect();
    if !Path::new("/dev/net/tun").exists() {
        lacking.push("the device /dev/net/tun (modprobe tun)");
    }
    lacking
}
