//! A pack to play with.

use std::path::Path;

use stories::{Program, RunningHub};

/// Writes the pack that `sortie pack new` makes.
pub(crate) fn new_pack(name: &str, folder: &Path) {
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), name.as_ref(), folder.as_os_str()]).well();
}

/// Changes a text in the pack's own file.
pub(crate) fn change(folder: &Path, from: &str, to: &str) {
    let file = folder.join("pack.toml");
    let text = std::fs::read_to_string(&file).expect("the pack is there");
    assert!(text.contains(from), "`{from}` is not in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).expect("the pack can be written");
}

/// The names of the hub's task types.
pub(crate) fn types(hub: &RunningHub<'_>) -> Vec<String> {
    let listed = hub.sortie_json(&["task", "types"]);
    let items = listed["items"].as_array().expect("a list").iter();
    items.map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}
