//! `sortie pack`, as the author of a pack uses it.

use stories::{Program, Scene, on_sqlite};

use crate::help::{change, new_pack};

on_sqlite!(
    a_pack_that_was_just_made_is_sound,
    every_mistake_is_printed_with_its_place,
    what_is_there_is_not_written_over,
    the_policy_that_a_pack_asks_for_names_its_program,
);

async fn a_pack_that_was_just_made_is_sound(scene: Scene) {
    let folder = scene.folder().join("mine");
    new_pack("mine", &folder);
    let checked = Program::Sortie.run(["pack".as_ref(), "check".as_ref(), folder.as_os_str()]).well();
    assert!(checked.stderr.contains("`mine` is sound") && checked.stderr.contains("mine.count"), "{checked:?}");
    let json = Program::Sortie.run(["pack".as_ref(), "check".as_ref(), folder.as_os_str(), "--json".as_ref()]).well();
    assert_eq!(json.json()["types"][0]["name"], "mine.count");
}

async fn every_mistake_is_printed_with_its_place(scene: Scene) {
    let folder = scene.folder().join("mine");
    new_pack("mine", &folder);
    change(&folder, "max_retries = 3", "max_retires = 3");
    std::fs::write(folder.join("schemas/count.payload.json"), "{\n  \"type\": 7\n}").expect("it can be written");
    let checked = Program::Sortie.run(["pack".as_ref(), "check".as_ref(), folder.as_os_str()]);
    let manifest = folder.join("pack.toml").display().to_string();
    let schema = folder.join("schemas/count.payload.json").display().to_string();
    assert_eq!(checked.code, Some(2), "{checked:?}");
    for said in [
        format!("{manifest}:11:1: unknown key `max_retires`; did you mean `max_retries`?"),
        format!("{manifest}:4:1: `max_retries` is missing"),
        format!("{schema}:2:3: not a JSON Schema"),
    ] {
        assert!(checked.stdout.contains(&said), "`{said}` is not in {checked:?}");
    }
    assert_eq!(checked.stdout.lines().count(), 3, "{checked:?}");
}

async fn what_is_there_is_not_written_over(scene: Scene) {
    let folder = scene.folder().join("mine");
    new_pack("mine", &folder);
    change(&folder, "What this pack is for.", "Mine!");
    let again = Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "mine".as_ref(), folder.as_os_str()]);
    again.failed(2, &["is there and not empty", "choose another folder"]);
    assert!(std::fs::read_to_string(folder.join("pack.toml")).expect("it is there").contains("Mine!"));
    Program::Sortie.run(["pack", "new", "Not A Name"]).failed(2, &["Not A Name"]);
    let nowhere = Program::Sortie.run(["pack", "check", "/nonexistent"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
}

async fn the_policy_that_a_pack_asks_for_names_its_program(scene: Scene) {
    let folder = scene.folder().join("mine");
    new_pack("mine", &folder);
    let policy = Program::Sortie.run(["pack".as_ref(), "policy".as_ref(), folder.as_os_str()]).well().stdout;
    assert!(policy.contains("[handlers.\"mine.count\"]\nkind = \"command\"\n"), "{policy}");
    assert!(policy.contains(&format!("program = \"{}\"", folder.join("handlers/count").display())), "{policy}");
}
