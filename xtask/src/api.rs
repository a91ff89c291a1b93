//! `cargo xtask api`: the committed description of the API, always as the code has it.
//!
//! The hub's example `openapi` writes `people.json`, `agent.json` and `access.txt` into a folder.
//! They are committed, so that a change of the API is seen in review and is never an accident.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::programs::{Done, cargo, must, root, target_folder};

/// Writes `openapi/` anew, or with `--check` compares it with what would be written.
pub(crate) fn run(args: &[String]) -> Done {
    match args {
        [] => write(),
        [flag] if flag == "--check" => check(),
        _ => Err("takes nothing or `--check`".into()),
    }
}

/// Whether the hub has reached the point where it describes itself.
fn has_generator() -> bool {
    root().join("crates/hub/examples").is_dir()
}

fn write() -> Done {
    let committed = root().join("openapi");
    for (name, text) in generate()? {
        let path = committed.join(&name);
        if fs::read(&path).ok().as_ref() != Some(&text) {
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            println!("wrote openapi/{name}");
        }
    }
    Ok(())
}

fn check() -> Done {
    if !has_generator() {
        println!("The hub has no example that describes its API yet; nothing to compare.");
        return Ok(());
    }
    let differences = differences(&generate()?, &read_folder(&root().join("openapi"))?);
    if differences.is_empty() {
        return Ok(());
    }
    let listed = differences.join("\n  ");
    Err(format!("openapi/ is not what the code says:\n  {listed}\nRun `cargo xtask api` and commit the result."))
}

/// What the hub's code says of itself, file by file.
fn generate() -> Result<BTreeMap<String, Vec<u8>>, String> {
    if !root().join("crates/hub/examples/openapi.rs").is_file() {
        return Err("crates/hub/examples/openapi.rs is missing; it is what writes the API description".into());
    }
    // With `--workspace` the libraries get the same features as in the tests and are not built twice.
    must(&mut cargo(&["build", "--workspace", "--example", "openapi"]))?;
    let target = target_folder()?;
    let fresh = target.join("api");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(|error| format!("{}: {error}", fresh.display()))?;
    }
    fs::create_dir_all(&fresh).map_err(|error| format!("{}: {error}", fresh.display()))?;
    must(Command::new(target.join("debug/examples/openapi")).arg(&fresh).current_dir(root()))?;
    let files = read_folder(&fresh)?;
    if files.is_empty() { Err("the example `openapi` wrote nothing".into()) } else { Ok(files) }
}

/// All files of a folder but its door plate.
fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let say = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).map_err(say)? {
        let entry = entry.map_err(say)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() && name != "README.md" {
            files.insert(name, fs::read(entry.path()).map_err(say)?);
        }
    }
    Ok(files)
}

/// One sentence per file that is missing, left over or different, with the first line that differs.
fn differences(generated: &BTreeMap<String, Vec<u8>>, committed: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in generated {
        match committed.get(name) {
            None => found.push(format!("openapi/{name} is missing")),
            Some(there) if there != text => {
                let line = text.split(|b| *b == b'\n').zip(there.split(|b| *b == b'\n')).take_while(|(a, b)| a == b);
                found.push(format!("openapi/{name}:{} differs", line.count() + 1));
            }
            Some(_) => {}
        }
    }
    let left_over = committed.keys().filter(|name| !generated.contains_key(*name));
    found.extend(left_over.map(|name| format!("openapi/{name} is not written by the code any more")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_difference_is_named_with_its_file_and_line() {
        let generated = files(&[("a.json", "1\n2\n3\n"), ("b.json", "x"), ("same", "s")]);
        let committed = files(&[("a.json", "1\n2\n4\n"), ("old.json", ""), ("same", "s")]);
        assert_eq!(
            differences(&generated, &committed),
            [
                "openapi/a.json:3 differs",
                "openapi/b.json is missing",
                "openapi/old.json is not written by the code any more"
            ]
        );
    }
}
