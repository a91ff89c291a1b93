//! The way out of a site that has a web proxy or an authority of its own.

use serde_json::json;
use stories::{Ended, Lets, Net, Program, RunningHub, Scene, Site, WebProxy, on_sqlite, until};

on_sqlite!(
    all_traffic_of_an_agent_goes_through_the_proxy,
    a_proxy_may_stand_in_the_settings_with_its_password,
    hosts_in_no_proxy_are_reached_without_it,
    a_proxy_that_wants_a_password_is_named_wherever_it_is_met,
    a_proxy_that_lets_nothing_through_is_named_wherever_it_is_met,
    the_command_goes_through_the_proxy_too,
);

async fn all_traffic_of_an_agent_goes_through_the_proxy(scene: Scene) {
    let plan = scene.hub();
    let net = Net::to(&plan.url()).await;
    let hub = plan.setting("url", net.url()).start().await;
    let proxy = WebProxy::start(Lets::WithPassword).await;
    let site = behind(&scene, &proxy.url_with_password());
    site.enroll(&hub.invite("north").await).well();
    let agent = site.start();
    works(&hub).await;
    assert_eq!(agent.stop().await.code(), Some(0));
    let asked = proxy.asked();
    assert!(asked.iter().all(|to| *to == net.address()), "{asked:?}");
    assert_eq!(asked.len(), usize::try_from(net.carried()).unwrap(), "nothing found another way");
    assert!(!site.log().contains(WebProxy::PASSWORD), "{}", site.log());
}

async fn a_proxy_may_stand_in_the_settings_with_its_password(scene: Scene) {
    let hub = scene.hub().start().await;
    let proxy = WebProxy::start(Lets::WithPassword).await;
    let site = Site::new(&scene, "north").setting("proxy.url", proxy.url());
    let site = site.setting("proxy.user", "sortie").setting("proxy.password", WebProxy::PASSWORD);
    // What the settings name wins over the environment.
    let site = site.variable("HTTPS_PROXY", "http://127.0.0.1:1");
    site.enroll(&hub.invite("north").await).well();
    let _agent = site.start();
    works(&hub).await;
    assert!(!proxy.asked().is_empty());
    assert!(!site.log().contains(WebProxy::PASSWORD), "{}", site.log());
}

async fn hosts_in_no_proxy_are_reached_without_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let proxy = WebProxy::start(Lets::Nobody).await;
    let site = behind(&scene, &proxy.url()).variable("NO_PROXY", "hub.example,127.0.0.1");
    site.enroll(&hub.invite("north").await).well();
    let _agent = site.start();
    works(&hub).await;
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

async fn a_proxy_that_wants_a_password_is_named_wherever_it_is_met(scene: Scene) {
    let hub = scene.hub().start().await;
    is_named(&hub, &WebProxy::start(Lets::WithPassword).await, "proxy authorization required").await;
}

async fn a_proxy_that_lets_nothing_through_is_named_wherever_it_is_met(scene: Scene) {
    let hub = scene.hub().start().await;
    is_named(&hub, &WebProxy::start(Lets::Nobody).await, "does not let us through").await;
}

async fn the_command_goes_through_the_proxy_too(scene: Scene) {
    let hub = scene.hub().start().await;
    let proxy = WebProxy::start(Lets::WithPassword).await;
    let list = |proxy: &str| {
        let mut command = Program::Sortie.command();
        Ended::of(command.args(["node", "list", "--data"]).arg(hub.data()).env("HTTPS_PROXY", proxy))
    };
    list(&proxy.url_with_password()).well();
    assert_eq!(proxy.asked(), [hub.address()]);
    let refused = list(&proxy.url());
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains("the proxy") && refused.stderr.contains("HTTPS_PROXY"), "{refused:?}");
}

/// Enrolment, a running agent and the doctor each say that it is the proxy, and why.
async fn is_named(hub: &RunningHub<'_>, proxy: &WebProxy, why: &str) {
    let scene = hub.scene();
    let site = behind(scene, &proxy.url());
    let enrolment = site.enroll(&hub.invite("north").await);
    assert_eq!(enrolment.code, Some(4), "{enrolment:?}");
    assert!(enrolment.stderr.contains("proxy") && enrolment.stderr.contains(why), "{enrolment:?}");
    let direct = site.clone().setting("proxy.url", "none");
    direct.enroll(&hub.invite("north").await).well();
    let _agent = site.start();
    until("the log names the proxy", async || {
        let log = site.log();
        log.lines().any(|line| line.contains("WARN") && line.contains("proxy") && line.contains(why)).then_some(())
    })
    .await;
    for data in [site.data(), hub.data()] {
        let mut doctor = Program::Sortie.command();
        let doctor = Ended::of(doctor.args(["doctor", "--data"]).arg(data).env("HTTPS_PROXY", proxy.url()));
        assert_eq!(doctor.code, Some(1), "{doctor:?}");
        let line = doctor.stdout.lines().find(|line| line.starts_with("!!")).unwrap_or_default();
        assert!(line.contains("proxy") && line.contains(why), "{doctor:?}");
        assert!(doctor.stdout.contains("try:"), "{doctor:?}");
    }
}

fn behind<'s>(scene: &'s Scene, proxy: &str) -> Site<'s> {
    Site::new(scene, "north").setting("proxy.url", "environment").variable("HTTPS_PROXY", proxy)
}

async fn works(hub: &RunningHub<'_>) {
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}
