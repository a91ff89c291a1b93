//! The network: every place is joined to one crossing, which passes packets on, or does not. Each direction of each
//! road is in the story's hand.
//!
//! A place has a table of routes of its own at the crossing, in which each other place is reached directly, not at all
//! (a `blackhole`: the packet is gone and nobody hears of it), or through a device of `bad_roads.py`, which drops,
//! holds back or jumbles packets in the way of `netem`, which not every kernel has.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::places::Place;

/// The crossing's network.
const CROSSING: &str = "crossing";

/// How packets fare from one place to another, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As they should.
    Open,
    /// They get lost, all of them.
    Closed,
    /// One of five gets lost.
    Lossy,
    /// Each takes 300 ms.
    Late,
    /// Each takes as long as chance will have it, so that later ones overtake.
    Jumbled,
    /// At most 16 kB a second get through.
    Narrow,
}

/// All roads.
#[derive(Debug)]
pub(crate) struct Roads {
    carrier: Child,
    _until_dropped: ChildStdin,
}

impl Way {
    const BAD: [Way; 4] = [Way::Lossy, Way::Late, Way::Jumbled, Way::Narrow];

    /// Where a packet goes on this way to this place.
    fn leads(self, to: Place) -> String {
        match self {
            Way::Open => format!("dev {}", to.name()),
            Way::Closed => String::new(),
            Way::Lossy => "dev lossy".to_owned(),
            Way::Late => "dev late".to_owned(),
            Way::Jumbled => "dev jumbled".to_owned(),
            Way::Narrow => "dev narrow".to_owned(),
        }
    }
}

impl Roads {
    /// Builds them, all open. The story itself is where the people are.
    ///
    /// # Panics
    /// If the kernel refuses.
    pub(crate) fn build() -> Roads {
        ip(&["netns", "add", CROSSING]);
        // By default a packet is refused that comes from elsewhere than answers to it would go, as from bad roads.
        let settings = "net=/proc/sys/net/ipv4; echo 1 >$net/ip_forward; echo 0 >$net/conf/all/rp_filter; \
                        echo 0 >$net/conf/default/rp_filter";
        at_crossing(&["sh", "-c", settings]);
        for place in Place::ALL {
            let (name, address, gate) = (place.name(), place.address(), format!("10.77.{}.1", place.number()));
            let own = std::process::id().to_string();
            if place == Place::People {
                ip(&["-n", CROSSING, "link", "add", name, "type", "veth", "peer", "name", "road", "netns", &own]);
            } else {
                ip(&["netns", "add", name]);
                ip(&["-n", CROSSING, "link", "add", name, "type", "veth", "peer", "name", "road", "netns", name]);
            }
            let there = if place == Place::People { vec![] } else { vec!["-n", name] };
            batch(&["-n", CROSSING], &format!("address add {gate}/24 dev {name}\nlink set {name} up\n"));
            let road = format!(
                "link set lo up\naddress add {address}/24 dev road\nlink set road up\nroute add default via {gate}\n"
            );
            batch(&there, &road);
        }
        let rules: Vec<String> = Place::ALL
            .iter()
            .map(|place| format!("rule add iif {} lookup {}\n", place.name(), table(*place)))
            .collect();
        batch(&["-n", CROSSING], &rules.concat());
        let (carrier, _until_dropped) = bad_roads();
        let devices = Way::BAD.map(|way| format!("link set {} up\n", &way.leads(Place::People)[4..]));
        batch(&["-n", CROSSING], &devices.concat());
        let roads = Roads { carrier, _until_dropped };
        roads.heal();
        roads
    }

    /// Lets packets fare so, from the first place to the second.
    pub(crate) fn set(&self, from: Place, to: Place, way: Way) {
        batch(&["-n", CROSSING], &route(from, to, way));
    }

    /// Pulls the cable of a place.
    pub(crate) fn unplug(&self, place: Place) {
        ip(&["-n", CROSSING, "link", "set", place.name(), "down"]);
    }

    /// Mends everything.
    pub(crate) fn heal(&self) {
        let mut lines = String::new();
        for place in Place::ALL {
            lines.push_str(&format!("link set {} up\n", place.name()));
        }
        // The routes over a cable that was pulled are gone; so all are made again.
        for (from, to) in pairs() {
            lines.push_str(&route(from, to, Way::Open));
        }
        batch(&["-n", CROSSING], &lines);
    }
}

impl Drop for Roads {
    fn drop(&mut self) {
        let _gone = self.carrier.kill();
        let _status = self.carrier.wait();
    }
}

/// Every direction of every road.
fn pairs() -> impl Iterator<Item = (Place, Place)> {
    Place::ALL
        .into_iter()
        .flat_map(|from| Place::ALL.into_iter().map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
}

/// The table of what comes from a place.
fn table(from: Place) -> usize {
    100 + from.number()
}

fn route(from: Place, to: Place, way: Way) -> String {
    let kind = if way == Way::Closed { "blackhole " } else { "" };
    format!("route replace {kind}10.77.{}.0/24 {} table {}\n", to.number(), way.leads(to), table(from))
}

/// Starts what carries packets over bad roads.
fn bad_roads() -> (Child, ChildStdin) {
    let mut carrier = Command::new("nsenter")
        .args([&format!("--net=/run/netns/{CROSSING}"), "python3", "-c", include_str!("bad_roads.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`nsenter` of util-linux can be run");
    let stdin = carrier.stdin.take().expect("piped above");
    let mut said = String::new();
    BufReader::new(carrier.stdout.take().expect("piped above")).read_line(&mut said).expect("it speaks UTF-8");
    assert_eq!(said, "ready\n", "bad_roads.py does not start");
    (carrier, stdin)
}

fn at_crossing(words: &[&str]) {
    let mut command = Command::new("nsenter");
    well(command.arg(format!("--net=/run/netns/{CROSSING}")).args(words));
}

fn ip(words: &[&str]) {
    well(Command::new("ip").args(words));
}

/// Runs many lines of `ip` at once.
fn batch(words: &[&str], lines: &str) {
    let mut command = Command::new("ip");
    command.args(words).args(["-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("`ip` of iproute2 can be run");
    child.stdin.take().expect("piped above").write_all(lines.as_bytes()).expect("`ip` reads to the end");
    let ended = child.wait_with_output().expect("a child can be waited for");
    assert!(ended.status.success(), "{}: {lines}", String::from_utf8_lossy(&ended.stderr));
}

fn well(command: &mut Command) {
    let ended = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}
