//! The file in which a person keeps the hubs they work with: `~/.config/sortie/profiles.toml`, for
//! its owner only. It names files with tokens and holds none itself.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sortie_rules::config::nearest;
use sortie_rules::names::check_name;

use crate::context::Env;
use crate::exit::Failure;

/// One hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Its address.
    pub(crate) hub: String,
    /// The file with the token, or with a sign-in.
    pub(crate) token_file: PathBuf,
    /// Whom to believe: a file of certificates or a fingerprint. The system's authorities if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<String>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The one in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<String>,
    /// By name.
    #[serde(default)]
    pub(crate) profile: BTreeMap<String, Profile>,
    /// Where they are kept.
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// The folder in which a person's own things are kept.
pub(crate) fn config_folder(env: &Env) -> Result<PathBuf, Failure> {
    let config = match (env.get("XDG_CONFIG_HOME"), env.get("HOME")) {
        (Some(config), _) => PathBuf::from(config),
        (None, Some(home)) => Path::new(&home).join(".config"),
        (None, None) => {
            return Err(Failure::usage(
                "neither XDG_CONFIG_HOME nor HOME is set, so there is no place for what is yours",
            ));
        }
    };
    Ok(config.join("sortie"))
}

/// Where the profiles are kept.
pub(crate) fn file(env: &Env) -> Result<PathBuf, Failure> {
    Ok(config_folder(env)?.join("profiles.toml"))
}

/// Profile names are names like all others.
pub(crate) fn check_profile_name(name: &str) -> Result<String, String> {
    check_name("profile name", name).map(|()| name.to_owned()).map_err(|bad| bad.to_string())
}

impl Profiles {
    /// Reads the file; no file means no profiles.
    pub(crate) fn read(env: &Env) -> Result<Profiles, Failure> {
        let path = file(env)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}", path.display()))),
        };
        let profiles: Profiles = toml::from_str(&text)
            .map_err(|error| Failure::usage(format!("{} cannot be used: {error}", path.display())))?;
        Ok(Profiles { path, ..profiles })
    }

    /// The profile of this name.
    pub(crate) fn get(&self, name: &str) -> Result<&Profile, Failure> {
        self.profile.get(name).ok_or_else(|| {
            let near = nearest(name, self.profile.keys().map(String::as_str));
            let failure = Failure::usage(format!("there is no profile `{name}` in {}", self.path.display()));
            match near {
                Some(near) => failure.remedy(format!("did you mean `{near}`? `sortie profile list` shows all")),
                None => failure.remedy(format!("sortie profile add {name} --hub URL --token-file FILE --ca FILE")),
            }
        })
    }

    /// Writes the file, whole or not at all.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let text = toml::to_string_pretty(self)
            .map_err(|error| Failure::other(format!("the profiles cannot be written as TOML: {error}")))?;
        write_private(&self.path, &text)
            .map_err(|error| Failure::other(format!("{} cannot be written: {error}", self.path.display())))
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let beside = path.with_extension("writing");
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn profiles_are_kept_for_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let env = Env::of(&[("HOME", &home.path().display().to_string())]);
        let mut profiles = Profiles::read(&env).unwrap();
        assert_eq!(profiles.path, home.path().join(".config/sortie/profiles.toml"));
        let prod = Profile { hub: "https://h".into(), token_file: "/t".into(), ca: None };
        profiles.profile.insert("prod".into(), prod.clone());
        profiles.active = Some("prod".into());
        profiles.write().unwrap();
        assert_eq!(Profiles::read(&env).unwrap(), profiles);
        assert_eq!(fs::metadata(&profiles.path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(profiles.get("prod").unwrap(), &prod);
        assert!(format!("{:?}", profiles.get("prd").unwrap_err()).contains("did you mean `prod`"));
    }
}
