//! Settings: what is not known is named, what cannot be is refused, and a variable wins over the file,
//! which wins over the default.

use stories::{HubPlan, Program, RunningHub, Scene, Site, on_sqlite, until};

use crate::data_folder::does_not_start;

on_sqlite!(
    a_setting_that_does_not_exist_is_named_with_the_nearest_one,
    a_value_of_the_wrong_kind_is_named_with_its_place,
    settings_that_contradict_each_other_are_named,
    a_variable_wins_over_the_file_and_the_file_over_the_default,
    what_print_config_prints_can_be_used_as_it_is,
    a_settings_file_that_is_named_must_be_there,
    an_agent_s_settings_are_held_to_the_same,
    a_database_address_that_is_none_is_named_without_its_password,
);

async fn a_setting_that_does_not_exist_is_named_with_the_nearest_one(scene: Scene) {
    let plan = with_file(&scene, "log_format = \"text\"\n[presence]\nstale_after = 60\n");
    let said = does_not_start(&plan, 2).await;
    assert!(said.contains("hub.toml, line 3: there is no setting `presence.stale_after`"), "{said}");
    assert!(said.contains("did you mean `presence.stale_after_s`?") && said.contains("--print-config"), "{said}");
    assert!(!plan.data().join("sortie.db").exists(), "nothing was done");
    let said = does_not_start(&scene.hub_named("other").setting("lisen", "127.0.0.1:1"), 2).await;
    assert!(said.contains("SORTIE_HUB_LISEN") && said.contains("did you mean `SORTIE_HUB_LISTEN`?"), "{said}");
}

async fn a_value_of_the_wrong_kind_is_named_with_its_place(scene: Scene) {
    let said = does_not_start(&with_file(&scene, "\nstop_grace_s = \"soon\"\n"), 2).await;
    assert!(said.contains("hub.toml, line 2: `stop_grace_s` cannot be used"), "{said}");
    let said = does_not_start(&scene.hub_named("other").setting("stop_grace_s", "soon"), 2).await;
    assert!(said.contains("variable SORTIE_HUB_STOP_GRACE_S: `stop_grace_s` cannot be used"), "{said}");
    let said = does_not_start(&with_file(&scene, "listen = [1\n"), 2).await;
    assert!(said.contains("this is not TOML"), "{said}");
}

async fn settings_that_contradict_each_other_are_named(scene: Scene) {
    for (setting, value, named) in [
        ("presence.stale_after_s", "7200", "presence.down_after_s"),
        ("presence.check_every_s", "0", "presence.check_every_s"),
        ("connections_max", "0", "connections_max"),
        ("url", "http://hub.example", "url"),
        ("key_file", "/etc/key.pem", "certificate_file"),
        ("operations_listen", "everywhere", "operations_listen"),
    ] {
        let said = does_not_start(&scene.hub_named(named).setting(setting, value), 2).await;
        assert!(said.contains(&format!("setting `{named}`")), "{said}");
    }
}

async fn a_variable_wins_over_the_file_and_the_file_over_the_default(scene: Scene) {
    let from_file = with_file(&scene, "url = \"https://from-the-file.example\"\n");
    let hub = from_file.start().await;
    says(&hub, "from-the-file", 1).await;
    let (plan, _) = hub.stop().await;
    let hub = plan.setting("url", "https://from-the-variable.example").start().await;
    says(&hub, "from-the-variable", 1).await;
    let (plan, _) = hub.stop().await;
    // An empty variable counts as not set.
    let hub = plan.setting("url", "").start().await;
    says(&hub, "from-the-file", 2).await;
}

/// Waits until the hub, over all its starts, has said so often that it is there. It answers a moment
/// before it says so.
async fn says(hub: &RunningHub<'_>, host: &str, times: usize) {
    let said = format!("The hub is at https://{host}.example");
    until("the hub says where it is", async || (hub.log().matches(&said).count() == times).then_some(())).await;
}

async fn what_print_config_prints_can_be_used_as_it_is(scene: Scene) {
    let printed = Program::Sortie.run(["hub", "--print-config"]).well();
    assert!(printed.stdout.contains("stale_after_s = 1800") && printed.stderr.is_empty(), "{printed:?}");
    let hub = with_file(&scene, &printed.stdout).start().await;
    let site = Site::new(&scene, "north");
    let printed = Program::Sortie.run(["agent", "run", "--print-config"]).well();
    std::fs::write(site.data().join("agent.toml"), printed.stdout).unwrap();
    site.enroll(&hub.invite("north").await).well();
}

async fn a_settings_file_that_is_named_must_be_there(scene: Scene) {
    let plan = scene.hub();
    let missing = scene.folder().join("missing.toml");
    let mut command = plan.command();
    let ended = stories::Ended::of(command.arg("--config").arg(&missing));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("missing.toml"), "{ended:?}");
    std::fs::write(&missing, "no_such = 1\n").unwrap();
    let ended = stories::Ended::of(plan.command().arg("--config").arg(&missing));
    assert!(ended.stderr.contains("missing.toml, line 1: there is no setting `no_such`"), "{ended:?}");
}

async fn an_agent_s_settings_are_held_to_the_same(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    std::fs::write(site.data().join("agent.toml"), "concurency = 3\n").unwrap();
    let mut agent = site.start();
    assert_eq!(agent.process.end().await.code(), Some(2));
    assert!(site.log().contains("agent.toml, line 1: there is no setting `concurency`"), "{}", site.log());
    assert!(site.log().contains("did you mean `concurrency`?"), "{}", site.log());
}

async fn a_database_address_that_is_none_is_named_without_its_password(scene: Scene) {
    let said = does_not_start(&scene.hub().setting("database_url", "mysql://me:open-sesame@host/sortie"), 2).await;
    assert!(said.contains("postgres://") && !said.contains("open-sesame"), "{said}");
    let away = "postgres://me:open-sesame@127.0.0.1:1/sortie";
    let at_once = scene.hub_named("other").setting("database_url", away).setting("database.start_wait_s", 0);
    let said = does_not_start(&at_once, 1).await;
    assert!(said.contains("127.0.0.1") && !said.contains("open-sesame"), "{said}");
}

fn with_file<'s>(scene: &'s Scene, text: &str) -> HubPlan<'s> {
    let plan = scene.hub();
    std::fs::create_dir_all(plan.data()).unwrap();
    std::fs::write(plan.data().join("hub.toml"), text).unwrap();
    plan
}
