//! Which generations an agent takes, what it does with them while the hub is away, and what it says.

use serde_json::{Value, json};
use sortie_agent::Given;
use sortie_rules::desired::{Condition, ConditionStatus};
use sortie_wire::desired::{DESIRED, Observed};
use sortie_wire::envelope::DELIVERY;

use super::agents::{Running, Site};
use super::hub::{TestHub, signer};

/// A site whose files are below `folder()/files`.
pub(crate) struct Stage {
    pub(crate) hub: TestHub,
    pub(crate) site: Site,
    pub(crate) agent: Option<Running>,
}

impl Stage {
    pub(crate) async fn new(more_policy: &str) -> Stage {
        let mut stage = Stage::quiet(more_policy).await;
        stage.start();
        stage
    }

    /// The same whose agent has not been started.
    pub(crate) async fn quiet(more_policy: &str) -> Stage {
        Stage::believing(None, more_policy).await
    }

    /// The same with operators whom the site believes.
    pub(crate) async fn believing(operators: Option<Given>, more_policy: &str) -> Stage {
        let hub = TestHub::start().await;
        let site = Site::enrolled_with(&hub, operators).await;
        std::fs::create_dir(site.folder().join("files")).unwrap();
        let stage = Stage { hub, site, agent: None };
        stage.set_policy(more_policy);
        stage
    }

    pub(crate) fn set_policy(&self, more: &str) {
        let root = self.site.folder().join("files");
        let kinds = r#"kinds = ["file", "directory", "service", "command", "tool"]"#;
        self.site
            .set_policy(&format!("[desired_files]\nroots = [{root:?}]\n[desired]\n{kinds}\nlook_every_s = 1\n{more}"));
    }

    pub(crate) fn start(&mut self) {
        self.agent = Some(self.site.start());
    }

    pub(crate) async fn stop(&mut self) {
        self.agent.take().unwrap().stop().await;
    }

    /// A path below the root.
    pub(crate) fn path(&self, name: &str) -> String {
        self.site.folder().join("files").join(name).display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// A file resource.
    pub(crate) fn file(&self, name: &str, content: &str) -> Value {
        json!({ "spec": { "path": self.path(name), "content": content } })
    }

    /// The words on this generation once every resource was looked at.
    pub(crate) async fn settled(&self, generation: u64) -> Vec<Condition> {
        self.settled_after(generation, 0).await
    }

    /// The same among what comes after so many words.
    pub(crate) async fn settled_after(&self, generation: u64, from: usize) -> Vec<Condition> {
        let is_settled = |observed: &Observed| {
            observed.conditions.iter().all(|condition| condition.status != ConditionStatus::Pending)
        };
        self.hub.desk.observed("settled conditions", generation, from, is_settled).await.conditions
    }

    /// How one resource stands, in a word with its reason.
    pub(crate) async fn stands(&self, generation: u64, resource: &str) -> String {
        let conditions = self.settled(generation).await;
        word(conditions.iter().find(|condition| condition.resource.to_string() == resource).unwrap())
    }

    /// Waits until one resource stands so.
    pub(crate) async fn until(&self, generation: u64, resource: &str, wanted: &str) -> Condition {
        let is_it = |one: &&Condition| one.resource.to_string() == resource && word(one) == wanted;
        let look = |observed: &Observed| observed.conditions.iter().any(|one| is_it(&one));
        let observed = self.hub.desk.observed(wanted, generation, 0, look).await;
        observed.conditions.iter().find(is_it).unwrap().clone()
    }
}

pub(crate) fn word(condition: &Condition) -> String {
    match &condition.reason {
        Some(reason) => format!("{} {reason}", condition.status.as_str()),
        None => condition.status.as_str().to_owned(),
    }
}

#[tokio::test]
async fn a_generation_is_fetched_when_a_delivery_tells_of_it_and_then_told_in_order() {
    let mut stage = Stage::new("").await;
    stage.hub.desk.publish(1, &json!({ "file/motd": stage.file("motd", "one") }));
    assert_eq!(stage.stands(1, "file/motd").await, "in_order");
    assert_eq!(stage.read("motd").as_deref(), Some("one"));
    stage.hub.desk.publish(4, &json!({ "file/motd": stage.file("motd", "two") }));
    assert_eq!(stage.stands(4, "file/motd").await, "in_order");
    assert_eq!(stage.read("motd").as_deref(), Some("two"));
    stage.stop().await;
    stage.hub.desk.look(|asked| {
        let after: Vec<u64> = asked.desired.iter().map(|query| query.after).collect();
        assert_eq!(after, [0, 1], "asked once for each");
        assert_eq!(asked.desired[0].seal_to, asked.desired[1].seal_to);
    });
}

#[tokio::test]
async fn what_is_not_the_hub_s_word_for_this_node_is_refused_with_a_code_and_changes_nothing() {
    let mut stage = Stage::new("").await;
    let desk = &stage.hub.desk;
    desk.publish(5, &json!({ "file/motd": stage.file("motd", "kept") }));
    assert_eq!(stage.stands(5, "file/motd").await, "in_order");
    let bad = json!({ "file/motd": stage.file("motd", "bad") });
    let state = |generation| desk.state(generation, &bad).to_string();
    let mut other = desk.state(6, &bad);
    other["node"] = json!(uuid::Uuid::from_u128(0xb));
    let mut circle = bad.clone();
    circle["file/motd"]["after"] = json!(["file/motd"]);
    let large = json!({ "file/motd": stage.file("motd", &"x".repeat(5 << 20)) });
    let sign = |text: &str| desk.sign(DESIRED, text.as_bytes());
    let cases = [
        ("unknown_key", signer().sign(DESIRED, state(6).as_bytes())),
        ("other_type", desk.sign(DELIVERY, state(6).as_bytes())),
        ("other_node", sign(&other.to_string())),
        ("generation_back", sign(&state(4))),
        ("generation_twice", sign(&state(5))),
        ("not_a_state", sign("{}")),
        ("no_order", sign(&desk.state(6, &circle).to_string())),
        ("too_large", sign(&desk.state(6, &large).to_string())),
    ];
    for (told, (code, envelope)) in (6..).zip(cases) {
        desk.publish_signed(told, envelope);
        let is_it = |observed: &Observed| observed.refused.as_ref().is_some_and(|refused| refused.code == code);
        let observed = desk.observed(code, 5, 0, is_it).await;
        assert_eq!(observed.refused.unwrap().generation, told, "{code}");
    }
    assert_eq!(stage.read("motd").as_deref(), Some("kept"));
    desk.publish(20, &json!({ "file/motd": stage.file("motd", "next") }));
    assert_eq!(stage.stands(20, "file/motd").await, "in_order");
    desk.observed("no refusal any more", 20, 0, |observed| observed.refused.is_none()).await;
    stage.stop().await;
}

#[tokio::test]
async fn the_last_state_is_applied_at_the_start_while_the_hub_is_away_and_told_when_it_is_back() {
    let mut stage = Stage::new("").await;
    stage.hub.desk.publish(3, &json!({ "file/motd": stage.file("motd", "kept") }));
    assert_eq!(stage.stands(3, "file/motd").await, "in_order");
    stage.stop().await;
    std::fs::remove_file(stage.path("motd")).unwrap();
    // The key that has signed it is not believed any more: it was when it came.
    stage.hub.desk.retire();
    stage.hub.go_away().await;
    let words = stage.hub.desk.look(|asked| asked.observed.len());
    stage.start();
    until_file(&stage, "motd", "kept").await;
    stage.hub.come_back().await;
    let conditions = stage.settled_after(3, words).await;
    assert_eq!(word(&conditions[0]), "in_order");
    stage.stop().await;
    let asked = stage.hub.desk.look(|asked| asked.desired.len());
    assert_eq!(asked, 1, "what was accepted is not asked for again");
}

#[tokio::test]
async fn a_hub_that_tells_of_less_than_was_accepted_is_asked_once() {
    let mut stage = Stage::new("").await;
    stage.hub.desk.publish(7, &json!({ "file/motd": stage.file("motd", "kept") }));
    assert_eq!(stage.stands(7, "file/motd").await, "in_order");
    stage.hub.desk.publish_made(2, |_| None);
    stage.hub.desk.until("a question", |asked| asked.desired.iter().any(|query| query.after == 7).then_some(())).await;
    // As the real one does: it puts what it has above what the agent has accepted.
    stage.hub.desk.publish(8, &json!({ "file/motd": stage.file("motd", "again") }));
    assert_eq!(stage.stands(8, "file/motd").await, "in_order");
    stage.stop().await;
    stage.hub.desk.look(|asked| assert_eq!(asked.desired.len(), 3));
}

#[tokio::test]
async fn nothing_is_said_while_nothing_changes_and_a_damaged_file_is_fetched_anew() {
    let mut stage = Stage::new("").await;
    stage.hub.desk.publish(1, &json!({ "file/motd": stage.file("motd", "one") }));
    assert_eq!(stage.stands(1, "file/motd").await, "in_order");
    let words = stage.hub.desk.look(|asked| asked.observed.len());
    // Several looks later, what changes is all that is told.
    for _ in 0..3 {
        std::fs::write(stage.path("motd"), "else").unwrap();
        until_file(&stage, "motd", "one").await;
    }
    stage.stop().await;
    let more = stage.hub.desk.look(|asked| asked.observed.len()) - words;
    assert!(more <= 3, "each correction is told at most once, and gathered: {more}");
    std::fs::write(stage.site.data().join("desired.json"), "{").unwrap();
    stage.start();
    stage.hub.desk.say(|_| ());
    stage.hub.desk.until("another question", |asked| (asked.desired.len() == 2).then_some(())).await;
    stage.stop().await;
}

/// Waits until a file holds this.
pub(crate) async fn until_file(stage: &Stage, name: &str, content: &str) {
    until(|| stage.read(name).as_deref() == Some(content)).await;
}

/// Waits until something is so at the site.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), looking).await.expect("it comes to be so");
}
