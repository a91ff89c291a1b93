//! A hub's settings: its file, the variables, and what the command line says.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sortie_hub::Settings;
use sortie_hub::settings::DEFAULT_TOML;
use sortie_rules::config::{known_keys, load};

use crate::exit::Failure;

/// The settings of the hub with this data folder.
pub(crate) fn settings_of(
    data: PathBuf,
    config: Option<&Path>,
    listen: Option<SocketAddr>,
) -> Result<Settings, Failure> {
    let usual = data.join("hub.toml");
    let (text, file) = match config {
        Some(file) => (read(file)?, file.to_owned()),
        None if usual.exists() => (read(&usual)?, usual),
        None => (String::new(), usual),
    };
    let keys = known_keys(DEFAULT_TOML);
    let known: Vec<&str> = keys.iter().map(String::as_str).collect();
    let env =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut settings: Settings = load(&text, &file.display().to_string(), env, "SORTIE_HUB_", &known)
        .map_err(|error| Failure::usage(error.to_string()).remedy("`sortie hub --print-config` shows every setting"))?;
    settings.data = data;
    if let Some(listen) = listen {
        settings.listen = listen;
    }
    settings.check().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(settings)
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))
}
