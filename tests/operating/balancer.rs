//! The balancer of the sample before hubs of a story.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use counterparts::Haproxy;
use stories::{Engine, HubPlan, RunningHub, Scene, until};
use tokio::net::UdpSocket;

use crate::samples::sample;

/// What the sample says, and what a story says in its place.
const CONNECTIONS: (&str, &str) = ("maxconn 60000", "maxconn 1000");
const FRONT: &str = "bind :8443";
const NAMES: &str = "127.0.0.11:53";

/// The sample's balancer before two hubs: where each is, which may be a name, and where it tells whether it is ready.
/// Returns its address, too. Names are asked for at `names`.
pub(crate) fn balancer(scene: &Scene, hubs: [(&str, &HubPlan<'_>); 2], names: &str) -> (Haproxy, String) {
    let front = format!("127.0.0.1:{}", scene.free_port());
    let mut text = sample("compose/haproxy.cfg");
    let mut put = |sample: &str, here: &str| {
        assert_eq!(text.matches(sample).count(), 1, "the sample says {sample}");
        text = text.replace(sample, here);
    };
    put(CONNECTIONS.0, CONNECTIONS.1);
    put(FRONT, &format!("bind {front}"));
    put(NAMES, names);
    for (name, (at, hub)) in ["hub-1", "hub-2"].into_iter().zip(hubs) {
        let port = |address: String| address.rsplit_once(':').expect("an address has a port").1.to_owned();
        let here = format!("{at}:{} port {}", port(hub.address()), port(hub.operations_address()));
        put(&format!("{name}:8443"), &here);
    }
    (Haproxy::start(&text), format!("https://{front}"))
}

/// The same before hubs that run on this machine, each at an address that stays.
pub(crate) fn balancer_before(scene: &Scene, hubs: [&RunningHub<'_>; 2]) -> (Haproxy, String) {
    balancer(scene, hubs.map(|hub| ("127.0.0.1", hub.plan())), NAMES)
}

/// Whoever knows the addresses of names, as Docker does for its containers.
struct Names {
    address: String,
    known: Arc<Mutex<BTreeMap<String, Ipv4Addr>>>,
}

impl Names {
    async fn start() -> Names {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let address = socket.local_addr().expect("a bound socket has an address").to_string();
        let known = Arc::<Mutex<BTreeMap<String, Ipv4Addr>>>::default();
        let names = Arc::clone(&known);
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, who)) = socket.recv_from(&mut buffer).await {
                let answer = answer(&buffer[..length], &names.lock().unwrap_or_else(PoisonError::into_inner));
                let _lost = socket.send_to(&answer, who).await;
            }
        });
        Names { address, known }
    }

    fn say(&self, name: &str, address: [u8; 4]) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), address.into());
    }
}

/// The answer to a question of one name (RFC 1035), which counts for no longer than the moment.
fn answer(question: &[u8], known: &BTreeMap<String, Ipv4Addr>) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).into_owned());
        at += 1 + length;
    }
    let asked = &question[12..at + 5];
    let is_for_ipv4 = asked[asked.len() - 4..] == [0, 1, 0, 1];
    let address = known.get(&labels.join("."));
    let found = address.filter(|_| is_for_ipv4);
    let refusal = if address.is_some() { 0 } else { 3 };
    let mut said = [&question[..2], &[0x81, 0x80 | refusal, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]].concat();
    said.extend(asked);
    if let Some(address) = found {
        // The name of the question; an address; of the Internet; for no time; four bytes.
        said.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        said.extend(address.octets());
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_comes_back_at_another_address_is_found_by_its_name() {
    let scene = Scene::new(Engine::Sqlite);
    let names = Names::start().await;
    // The other one has no name yet: nobody has started it.
    let (plan, nobody) = (scene.hub().setting("names", "127.0.0.1,127.0.0.2"), scene.hub_named("nobody"));
    let (_haproxy, url) = balancer(&scene, [("hub-1", &plan), ("hub-2", &nobody)], &names.address);
    let hub = plan.start().await;
    names.say("hub-1", [127, 0, 0, 1]);
    let through = hub.people_through(&url);
    until("the balancer has found it", async || through.whoami().await.ok()).await;
    // A container that is made anew gets another address, and its name with it.
    let plan = hub.stop().await.0.at("127.0.0.2").setting("names", "127.0.0.1,127.0.0.2");
    let hub = plan.start().await;
    names.say("hub-1", [127, 0, 0, 2]);
    let through = hub.people_through(&url);
    until("the balancer has found it again", async || through.whoami().await.ok()).await;
}
