//! The containers of the sample, read as closely as can be without running them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use counterparts::Nats;
use stories::{Ended, Engine, Program, Scene, on_sqlite};
use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlLoader};

use crate::samples::{sample, samples};

on_sqlite!(
    every_variable_of_the_containers_is_a_setting,
    all_that_a_container_names_is_there,
    a_volume_of_ours_belongs_to_the_program_s_user,
    what_the_containers_read_can_be_read,
    with_events_both_hubs_send_them_to_the_server_that_starts,
);

/// The files, each of which may say something of the same service.
const FILES: [&str; 2] = ["compose/compose.yaml", "compose/compose.events.yaml"];
/// Both hubs.
const HUBS: [&str; 2] = ["hub-1", "hub-2"];

/// A file with what `<<` brings in.
fn read(file: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&sample(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    merged(documents.remove(0))
}

fn merged(value: Yaml) -> Yaml {
    match value {
        Yaml::Array(items) => Yaml::Array(items.into_iter().map(merged).collect()),
        Yaml::Hash(hash) => {
            let mut all = Hash::new();
            for (key, value) in hash {
                match (key.as_str(), merged(value)) {
                    (Some("<<"), Yaml::Hash(more)) => all.extend(more),
                    (_, value) => drop(all.insert(key, value)),
                }
            }
            Yaml::Hash(all)
        }
        plain => plain,
    }
}

/// The words of a list; none if there is no list.
fn words(list: &Yaml) -> Vec<&str> {
    list.as_vec().into_iter().flatten().map(|word| word.as_str().expect("a word")).collect()
}

/// The names under a key of the whole file, or of a service; a list of names will do as well.
fn names(of: &Yaml) -> BTreeSet<String> {
    let keys = of.as_hash().into_iter().flat_map(Hash::keys).filter_map(Yaml::as_str);
    keys.chain(words(of)).map(str::to_owned).collect()
}

fn services(file: &Yaml) -> BTreeMap<String, Yaml> {
    let all = file["services"].as_hash().expect("services").iter();
    all.map(|(name, service)| (name.as_str().expect("a name").to_owned(), service.clone())).collect()
}

/// What a service mounts: from where, to where, and whether it may be written.
fn mounts(service: &Yaml) -> Vec<(String, String, bool)> {
    let mount = |word: &str| {
        let mut parts = word.split(':').map(str::to_owned);
        let (from, to) = (parts.next().expect("from where"), parts.next().expect("to where"));
        (from, to, parts.next().is_none_or(|mode| mode != "ro"))
    };
    words(&service["volumes"]).into_iter().map(mount).collect()
}

/// The variables that a service gives to a hub.
fn settings(service: &Yaml) -> Vec<(String, String)> {
    let all = service["environment"].as_hash().into_iter().flatten();
    let text = |value: &Yaml| value.as_str().map_or_else(|| panic!("write it as text: {value:?}"), str::to_owned);
    let all = all.map(|(name, value)| (text(name), text(value)));
    all.filter(|(name, _)| name.starts_with("SORTIE_HUB_")).collect()
}

async fn every_variable_of_the_containers_is_a_setting(scene: Scene) {
    let mut command = scene.hub().tool(&["migrate", "--check"]);
    let mut count = 0;
    for file in FILES {
        for (name, value) in settings(&services(&read(file))["hub-1"]) {
            count += 1;
            let elsewhere = name.ends_with("DATABASE_URL") || name.ends_with("MASTER_KEY_FILE");
            command.env(name, if elsewhere { "" } else { &value });
        }
    }
    assert!(count > 6, "{count}");
    let ended = Ended::of(&mut command);
    assert_eq!(ended.code, Some(8), "the settings are taken, and no store is there: {ended:?}");
}

async fn all_that_a_container_names_is_there(_: Scene) {
    let files = FILES.map(read);
    let of_both = |key: &str| -> BTreeSet<String> { files.iter().flat_map(|file| names(&file[key])).collect() };
    let (services_there, volumes, networks) = (of_both("services"), of_both("volumes"), of_both("networks"));
    for (name, service) in files.iter().flat_map(services) {
        assert!(names(&service["depends_on"]).is_subset(&services_there), "{name}");
        assert!(names(&service["networks"]).is_subset(&networks), "{name}");
        assert!(service["secrets"].is_badvalue(), "{name}: a secret is a file of the machine's, and of its user's");
        for (from, _, _) in mounts(&service) {
            match from.strip_prefix("./") {
                Some(file) => assert!(samples().join("compose").join(file).is_file(), "{name} mounts {from}"),
                None => assert!(volumes.contains(&from), "{name} mounts {from}"),
            }
        }
    }
}

/// Docker gives a volume that is empty the owner of the folder at which it is first mounted.
async fn a_volume_of_ours_belongs_to_the_program_s_user(_: Scene) {
    let image = sample("compose/Dockerfile");
    let made = image.split("install -d -o sortie -g sortie -m 0700").nth(1).expect("the image makes folders");
    let made: Vec<&str> = made.lines().next().expect("a line").split_whitespace().collect();
    assert!(image.contains("USER sortie"));
    let ours = |service: &Yaml| service["image"].as_str().is_some_and(|image| image.contains("sortie"));
    let mut count = 0;
    for (name, service) in FILES.map(read).iter().flat_map(services).filter(|(_, service)| ours(service)) {
        for (from, to, _) in mounts(&service) {
            assert!(made.contains(&to.as_str()), "{name}: {from} at {to} is root's, and our program is not");
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}

/// The command that makes the master key makes one that both hubs take, at the path at which they look for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_hubs_start_with_the_master_key_that_is_made_for_them() {
    let scene = Scene::new(Engine::Postgres);
    let services = services(&read(FILES[0]));
    let maker = &services["master-key"];
    let folder = |volume: &str| scene.folder().join(format!("volume-{volume}"));
    let there = |service: &Yaml, path: &str| {
        let mounts = mounts(service);
        let within = |to: &str| Path::new(path).strip_prefix(to).ok();
        let found = mounts.iter().find_map(|(from, to, _)| Some(folder(from).join(within(to)?)));
        found.unwrap_or_else(|| panic!("no volume is mounted for {path}"))
    };
    for (from, _, may_write) in mounts(maker) {
        assert!(may_write, "it makes the key in {from}");
        std::fs::create_dir(folder(&from)).unwrap();
    }
    let (file, verb) = words(&maker["command"]).split_last().map(|(file, verb)| (*file, verb.to_vec())).unwrap();
    Ended::of(Program::Sortie.command().args(verb).arg(there(maker, file))).well();
    let first = scene.hub_named(HUBS[0]);
    for name in HUBS {
        let service = &services[name];
        let mut plan = if name == HUBS[0] { first.clone() } else { first.beside(name) };
        // Addresses and names are the sample's own; the story reaches its hubs at theirs.
        let own = ["DATABASE_URL", "OPERATIONS_LISTEN", "HUB_URL", "NAMES", "MASTER_KEY_FILE"];
        for (setting, value) in settings(service) {
            if setting.ends_with("MASTER_KEY_FILE") {
                assert!(there(service, &value).starts_with(folder("keys")), "they share it");
                plan = plan.variable(&setting, there(service, &value));
            } else if !own.iter().any(|own| setting.ends_with(own)) {
                plan = plan.variable(&setting, value);
            }
        }
        plan.setting("drain_s", 0).start().await.stop().await;
    }
}

async fn what_the_containers_read_can_be_read(scene: Scene) {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    let mut balancer = Command::new("haproxy");
    balancer.args(["-c", "-f"]).arg(samples().join("compose/haproxy.cfg")).env("PATH", &path);
    Ended::of(&mut balancer).well();
    // What came with version 2.10, which the sample names and Debian does not have.
    let newer = "    sync_interval: always\n";
    let text = sample("compose/nats.conf");
    assert!(text.contains(newer) && sample(FILES[1]).contains("image: nats:2.1"));
    let file = scene.folder().join("nats.conf");
    std::fs::write(&file, text.replace(newer, "")).unwrap();
    Ended::of(Command::new("nats-server").arg("-t").arg("-c").arg(&file).env("PATH", &path)).well();
}

async fn with_events_both_hubs_send_them_to_the_server_that_starts(scene: Scene) {
    let services = services(&read(FILES[1]));
    let url = "nats://nats:4222";
    assert!(services.contains_key("nats") && sample("compose/nats.conf").contains("\nport: 4222\n"));
    let to_nats = vec![("SORTIE_HUB_NATS__URL".to_owned(), url.to_owned())];
    for name in HUBS {
        assert_eq!(settings(&services[name]), to_nats, "{name}");
    }
    // And before them somebody makes the stream.
    let nats = Nats::on(scene.free_port());
    let here = nats.url();
    let command = words(&services["events-setup"]["command"]);
    assert!(command.contains(&url), "{command:?}");
    let command = command.into_iter().map(|word| if word == url { here.as_str() } else { word });
    let made = Program::Sortie.run(command).well();
    assert!((made.stdout + &made.stderr).contains("SORTIE"), "it says what it made");
}
