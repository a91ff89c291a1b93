//! Writes the OpenAPI documents and the list of routes into a folder: `cargo xtask api` calls it.

use std::path::PathBuf;

use sortie_hub::Documents;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "openapi".to_owned()));
    let documents = Documents::describe();
    std::fs::write(folder.join("people.json"), documents.people)?;
    std::fs::write(folder.join("agent.json"), documents.agents)?;
    std::fs::write(folder.join("access.txt"), documents.access)
}
