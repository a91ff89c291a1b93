//! The inputs that lie in `fuzz/corpus/TARGET/`: examples, and what was once found to break something.

use std::path::{Path, PathBuf};

/// Where the inputs of a target lie.
fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// All of them, in the order of their names.
pub(crate) fn read(target: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder(target)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// Keeps an input that breaks something, so that it is tried from now on. Says where.
pub(crate) fn keep(target: &str, input: &[u8]) -> std::io::Result<PathBuf> {
    let folder = folder(target);
    std::fs::create_dir_all(&folder)?;
    let sum = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let path = folder.join(format!("found-{sum:016x}"));
    std::fs::write(&path, input)?;
    Ok(path)
}
