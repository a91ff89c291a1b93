//! Coming in.

use std::os::unix::fs::PermissionsExt as _;

use sortie_agent::{AgentError, EnrollError, EnrollOptions, enroll};
use sortie_client::{ClientError, Clock, TlsFault};
use sortie_wire::enrollment::Invite;

use super::agents::{Site, entropy};
use super::hub::{NOW, TestHub};

async fn try_to_enroll(site: &Site, invite: Invite) -> Result<String, EnrollError> {
    let options = EnrollOptions { settings: site.settings.clone(), invite, operators: None };
    enroll(options, Clock::new(|| NOW), &entropy()).await.map(|enrolled| enrolled.name)
}

#[tokio::test]
async fn an_enrolled_agent_has_a_key_for_its_owner_only_and_a_first_policy() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let mode = |path: &str| site.data().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("identity"), 0o700);
    for file in ["key.pem", "certificate.pem", "node.json"] {
        assert_eq!(mode(&format!("identity/{file}")), 0o600, "{file}");
    }
    assert!(std::fs::read_to_string(site.settings.policy_path()).unwrap().contains("default = \"refuse\""));
    hub.desk.look(|asked| {
        let facts = &asked.enrollments[0].facts;
        assert!(facts.types.contains(&"sys.info".to_owned()) && facts.os == "linux");
    });
    let again = try_to_enroll(&site, hub.invite()).await.unwrap_err();
    assert!(matches!(again, EnrollError::AlreadyEnrolled { .. }) && again.to_string().contains("as `box`"));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_key_and_a_policy_of_the_site_stays() {
    let mut hub = TestHub::start().await;
    let site = Site::new();
    std::fs::create_dir_all(site.data()).unwrap();
    site.set_policy("allow = [\"sleep\"]");
    hub.go_away().await;
    let refused = try_to_enroll(&site, hub.invite()).await.unwrap_err();
    assert!(matches!(refused, EnrollError::Hub(ClientError::Unreachable { .. })), "{refused:?}");
    let key = std::fs::read(site.data().join("identity/key.pem")).unwrap();
    hub.come_back().await;
    assert_eq!(try_to_enroll(&site, hub.invite()).await.unwrap(), "box");
    assert_eq!(std::fs::read(site.data().join("identity/key.pem")).unwrap(), key);
    assert_eq!(std::fs::read_to_string(site.settings.policy_path()).unwrap(), "allow = [\"sleep\"]");
    hub.desk.look(|asked| assert_eq!(asked.enrollments[0].facts.types, ["sleep"]));
}

#[tokio::test]
async fn another_hub_than_the_invite_s_gets_nothing() {
    let (hub, other) = (TestHub::start().await, TestHub::start().await);
    let site = Site::new();
    let invite = Invite { ca: other.invite().ca, ..hub.invite() };
    let refused = try_to_enroll(&site, invite).await.unwrap_err();
    let EnrollError::Hub(ClientError::Tls { fault, .. }) = &refused else { panic!("{refused:?}") };
    assert!(matches!(**fault, TlsFault::OtherFingerprint { .. }));
    hub.desk.look(|asked| assert!(asked.enrollments.is_empty()));
    assert!(!site.data().join("identity/node.json").exists());
}

#[tokio::test]
async fn an_agent_that_is_not_enrolled_or_runs_already_says_what_to_do() {
    let hub = TestHub::start().await;
    let error = Site::new().builder().build().unwrap_err();
    assert!(matches!(&error, AgentError::Identity(_)) && error.to_string().contains("sortie invite create"));
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let error = site.builder().build().unwrap_err();
    assert!(error.to_string().contains("another agent is running on"), "{error}");
    running.stop().await;
    site.start().stop().await;
}
