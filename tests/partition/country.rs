//! Everybody at their place: a PostgreSQL server, two hubs on it, the balancer of our sample before them, and three
//! agents, two through the balancer and one straight to a hub.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use counterparts::Postgres;
use sortie_client::people::Hub;
use sortie_wire::invites::CreateInvite;
use stories::{HubPlan, Process, RunningAgent, RunningHub, Scene, Site, until};

use crate::places::Place;
use crate::roads::Roads;

/// The sample's configuration of HAProxy.
const BALANCER: &str = include_str!("../../deploy/compose/haproxy.cfg");
/// How many connections it takes.
const SAMPLE_CONNECTIONS: &str = "maxconn 60000";
/// Where the sample listens.
const FRONT_PORT: u16 = 8443;
/// How long an operator waits for an answer of a hub that may be out of reach.
const OPERATORS_WAIT: Duration = Duration::from_secs(1);

/// All that there is.
#[derive(Debug)]
pub(crate) struct Country<'s> {
    pub(crate) roads: Roads,
    pub(crate) one: RunningHub<'s>,
    pub(crate) other: RunningHub<'s>,
    pub(crate) sites: Vec<Site<'s>>,
    agents: Vec<RunningAgent>,
    _front: Process,
}

/// Builds the roads, and sets a database at its place.
pub(crate) fn begin() -> (Roads, Scene) {
    let roads = Roads::build();
    let wrapper = Place::Database.wrapper();
    let server = Postgres::start_at(&Place::Database.address(), &wrapper.each_ref().map(String::as_str));
    (roads, Scene::with_postgres(server))
}

impl<'s> Country<'s> {
    /// Starts everybody, and waits until all agents are there.
    pub(crate) async fn settle(roads: Roads, scene: &'s Scene) -> Country<'s> {
        let one = at(scene.hub_named("one"), Place::One).start().await;
        let other = at(one.plan().beside("other"), Place::Other).start().await;
        let mut front = front(scene, [&one, &other]);
        let through = one.people_through(&front_url());
        until("the balancer passes on", async || {
            assert_eq!(front.ended(), None, "the balancer ended by itself");
            through.whoami().await.ok()
        })
        .await;
        let mut sites = Vec::new();
        for place in Place::AGENTS {
            let site = Site::new(scene, place.name()).under(&place.wrapper());
            let hub = (place == Place::West).then(|| one.url());
            site.enroll(&invite(&one, place.name(), hub).await).well();
            sites.push(site);
        }
        let agents = sites.iter().map(Site::start).collect();
        let country = Country { roads, one, other, sites, agents, _front: front };
        country.all_are_there().await;
        country
    }

    /// Waits until both hubs know every agent as present.
    pub(crate) async fn all_are_there(&self) {
        for hub in self.hubs() {
            until("every agent is there", async || {
                let nodes = hub.people().nodes(&Default::default()).await.ok()?.items;
                let there = nodes.iter().filter(|node| node.presence == sortie_rules::liveness::Presence::Online);
                (there.count() == Place::AGENTS.len()).then_some(())
            })
            .await;
        }
    }

    /// Both hubs.
    pub(crate) fn hubs(&self) -> [&RunningHub<'s>; 2] {
        [&self.one, &self.other]
    }

    /// The ways of people to the hubs, each tried once: straight to either, and through the balancer.
    pub(crate) fn doors(&self) -> Vec<Hub> {
        [self.one.url(), self.other.url(), front_url()].iter().map(|url| self.one.people_through(url)).collect()
    }

    /// Which hubs say that they lead. One that does not answer says nothing.
    pub(crate) async fn leaders(&self) -> Vec<Place> {
        let mut leaders = Vec::new();
        for (place, hub) in [(Place::One, &self.one), (Place::Other, &self.other)] {
            let url = format!("http://{}/metrics", hub.plan().operations_address());
            let http = reqwest::Client::builder().no_proxy().timeout(OPERATORS_WAIT).build();
            let Ok(answer) = http.expect("a plain client can be made").get(url).send().await else { continue };
            let page = answer.text().await.unwrap_or_default();
            leaders.extend(page.lines().any(|line| line.starts_with("sortie_leader 1")).then_some(place));
        }
        leaders
    }

    /// The hub that leads, once one alone does.
    pub(crate) async fn leader(&self) -> Place {
        until("one hub leads", async || {
            let leaders = self.leaders().await;
            (leaders.len() == 1).then(|| leaders[0])
        })
        .await
    }

    /// Everybody has gone on all the while: none has ended or started anew.
    pub(crate) fn nobody_has_ended(&mut self) {
        for agent in &mut self.agents {
            assert_eq!(agent.process.ended(), None, "an agent ended by itself");
        }
        for hub in [&mut self.one, &mut self.other] {
            assert_eq!(hub.process().ended(), None, "a hub ended by itself");
        }
    }
}

/// The balancer's address.
fn front_url() -> String {
    format!("https://{}:{FRONT_PORT}", Place::Front.address())
}

/// The hub at its place. Whatever is lost is noticed within seconds, and presence as well.
fn at(plan: HubPlan<'_>, place: Place) -> HubPlan<'_> {
    plan.at(&place.address())
        .under(&place.wrapper())
        .setting("names", format!("{},{}", place.address(), Place::Front.address()))
        .setting("url", front_url())
        .setting("limits.requests_per_principal", 0)
        .setting("limits.requests_per_address", 0)
        .setting("database.connection_wait_s", 2)
        .setting("database.statement_max_s", 3)
        .setting("presence.check_every_s", 1)
        .setting("presence.flush_every_s", 1)
        .setting("presence.stale_after_s", 8)
        .setting("presence.down_after_s", 16)
}

/// The balancer, as the sample has it but for the addresses of the hubs.
fn front(scene: &Scene, hubs: [&RunningHub<'_>; 2]) -> Process {
    // A machine that tests may not let one program hold as many connections as the sample provides for.
    assert!(BALANCER.contains(SAMPLE_CONNECTIONS), "the sample says how many connections it takes");
    let mut text = BALANCER.replace(SAMPLE_CONNECTIONS, "maxconn 1000");
    for (hub, name) in hubs.into_iter().zip(["hub-1", "hub-2"]) {
        let port = hub.plan().operations_address();
        let (_, port) = port.rsplit_once(':').expect("an address with a port");
        let (sample, here) = (format!("{name}:8443"), format!("{} port {port}", hub.plan().address()));
        assert!(text.contains(&sample), "the sample names {sample}");
        text = text.replace(&sample, &here);
    }
    let file = scene.folder().join("haproxy.cfg");
    std::fs::write(&file, text).expect("the story's folder can be written");
    let [enter, network] = Place::Front.wrapper();
    let mut command = Command::new(enter);
    command.args([&network, "haproxy", "-db", "-f"]).arg(file);
    Process::start(command, &scene.log("front"))
}

async fn invite(hub: &RunningHub<'_>, node: &str, address: Option<String>) -> String {
    let invite = CreateInvite {
        node: node.to_owned(),
        site: None,
        host: None,
        kind: None,
        labels: BTreeMap::new(),
        valid_for: None,
        replace: false,
        hub: address,
    };
    hub.people().create_invite(&invite, None).await.expect("an administrator may invite").invite
}
