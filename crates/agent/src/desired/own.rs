//! What no resource may touch: the agent's data folder, its settings, the policy, and every program that the policy
//! names.

use std::path::{Path, PathBuf};

use super::trouble::Trouble;
use crate::policy::Policy;
use crate::settings::Settings;

/// The agent's own folder and files, as the settings say.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

/// The same with what the policy names, as it is at one moment.
#[derive(Debug)]
pub(crate) struct Guard {
    things: Vec<PathBuf>,
}

impl Own {
    /// Those of an agent with these settings; `folder` is its data folder.
    pub(crate) fn new(settings: &Settings, folder: &Path) -> Own {
        let mut files = vec![settings.policy_path()];
        files.extend(settings.file.clone());
        files.extend(settings.ca_file.clone());
        files.extend(settings.helper.clone());
        files.extend(std::env::current_exe());
        Own { folder: folder.to_owned(), files }
    }

    /// What is guarded under this policy. A link is guarded as well as what it leads to.
    pub(crate) fn guard(&self, policy: &Policy) -> Guard {
        let named = policy.named_files();
        let mut things = vec![self.folder.clone()];
        for file in self.files.iter().chain(&named) {
            things.extend(file.canonicalize());
            // The name itself, where its folder really is.
            if let (Some(folder), Some(name)) = (file.parent(), file.file_name()) {
                things.extend(folder.canonicalize().map(|folder| folder.join(name)));
            }
        }
        things.sort();
        things.dedup();
        Guard { things }
    }
}

impl Guard {
    /// Refuses a place that is one of the guarded things, lies in one or holds one. It has no links in it.
    pub(crate) fn check(&self, place: &Path) -> Result<(), Trouble> {
        match self.things.iter().find(|thing| place.starts_with(thing) || thing.starts_with(place)) {
            Some(thing) => Err(Trouble::refused(
                "own_file",
                format!(
                    "{} is, holds or lies in {}, which is the agent's own or is named by the policy; no resource may \
                     touch it",
                    place.display(),
                    thing.display()
                ),
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn own_things_are_guarded_with_what_holds_them_and_by_all_their_names() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        for folder in ["data", "bin", "real", "free"] {
            std::fs::create_dir(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("real/tool"), "x").unwrap();
        symlink(root.join("real/tool"), root.join("bin/tool")).unwrap();
        let settings =
            Settings { policy_file: Some(root.join("free/policy.toml")), ..Settings::for_data(root.join("data")) };
        let text = format!("[appliers.x]\ncheck = [{0:?}]\napply = [{0:?}]", root.join("bin/tool"));
        let policy = Policy::parse(&text, Path::new("p")).unwrap();
        let guard = Own::new(&settings, &root.join("data")).guard(&policy);
        for own in ["data", "data/ledger.db", "bin/tool", "real/tool", "bin", "real", "free/policy.toml", "free", ""] {
            assert_eq!(guard.check(&root.join(own)).unwrap_err().reason, "own_file", "{own}");
        }
        for free in ["free/motd", "bin/tool2", "database"] {
            assert_eq!(guard.check(&root.join(free)), Ok(()), "{free}");
        }
    }
}
