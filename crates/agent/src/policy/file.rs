//! `policy.toml` as it is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sortie_rules::addresses::{Allowed, BadAddress};
use sortie_rules::config::{ConfigError, known_keys, load};
use sortie_rules::names::check_type_name;

use super::desired::{ApplierText, Desired, DesiredText, ServicesText};
use super::handlers::{HandlerText, Handling};
use super::paths::Roots;
use super::privileged::{HostReboot, RebootText, RestartText, ServiceRestart};
use super::reports::{Reports, ReportsText};

/// The commented file that an enrolment leaves where there is none.
pub const DEFAULT_TOML: &str = include_str!("policy.default.toml");

/// What the site allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Why the file cannot be used, if it cannot, in words for the hub; nothing runs until it can.
    pub(super) unusable: Option<String>,
    pub(super) allow_unnamed: bool,
    pub(super) allow: Vec<String>,
    pub(super) refuse: Vec<String>,
    /// Where `file.checksum` may read.
    pub checksum_roots: Roots,
    /// Where `file.append` may write.
    pub append_roots: Roots,
    /// What `http.check` may ask.
    pub check_addresses: Allowed,
    /// What service.restart may do.
    pub service_restart: ServiceRestart,
    /// How host.reboot does it.
    pub host_reboot: HostReboot,
    /// What does the work of a type, where the site says so itself.
    pub handlers: BTreeMap<String, Handling>,
    /// What desired states may do here.
    pub desired: Desired,
    /// What the site tells of itself.
    pub reports: Reports,
}

/// The policy cannot be used. The agent then runs nothing.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("the policy {} cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It says something that is not a policy.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address in it is not one.
    #[error("{}: {source}", .path.display())]
    Address {
        /// The file.
        path: PathBuf,
        /// Which, and why.
        source: BadAddress,
    },
    /// A table of a builtin cannot be used.
    #[error("{}: {why}", .path.display())]
    Builtin {
        /// The file.
        path: PathBuf,
        /// Which, and what is wrong.
        why: String,
    },
    /// A handler in it cannot be used.
    #[error("{}: [handlers.\"{name}\"]: {why}", .path.display())]
    Handler {
        /// The file.
        path: PathBuf,
        /// The task type.
        name: String,
        /// What is wrong.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Text {
    default: Unnamed,
    allow: Vec<String>,
    refuse: Vec<String>,
    file_checksum: RootsText,
    file_append: RootsText,
    http_check: AddressesText,
    service_restart: RestartText,
    host_reboot: RebootText,
    handlers: BTreeMap<String, HandlerText>,
    desired: DesiredText,
    desired_files: RootsText,
    desired_services: ServicesText,
    appliers: BTreeMap<String, ApplierText>,
    reports: ReportsText,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Unnamed {
    Refuse,
    Allow,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RootsText {
    roots: Vec<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AddressesText {
    allow: Vec<String>,
}

/// Where the file says nothing, nothing is allowed.
impl Default for Text {
    fn default() -> Text {
        Text {
            default: Unnamed::Refuse,
            allow: Vec::new(),
            refuse: Vec::new(),
            file_checksum: RootsText::default(),
            file_append: RootsText::default(),
            http_check: AddressesText::default(),
            service_restart: RestartText::default(),
            host_reboot: RebootText::default(),
            handlers: BTreeMap::new(),
            desired: DesiredText::default(),
            desired_files: RootsText::default(),
            desired_services: ServicesText::default(),
            appliers: BTreeMap::new(),
            reports: ReportsText::default(),
        }
    }
}

impl Policy {
    /// Reads a policy file.
    pub fn read(path: &Path) -> Result<Policy, PolicyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PolicyError::Unreadable { path: path.to_owned(), source })?;
        Policy::parse(&text, path)
    }

    /// Reads a policy from its text; `path` is how errors name it.
    pub fn parse(text: &str, path: &Path) -> Result<Policy, PolicyError> {
        let keys = known_keys(DEFAULT_TOML);
        let known: Vec<&str> = keys.iter().map(String::as_str).collect();
        // No variables: the policy is one file, so that whoever reads it has read all of it.
        let text: Text = load(text, &path.display().to_string(), std::iter::empty(), "", &known)?;
        let check_addresses = Allowed::parse(&text.http_check.allow)
            .map_err(|source| PolicyError::Address { path: path.to_owned(), source })?;
        let builtin = |why| PolicyError::Builtin { path: path.to_owned(), why };
        let service_restart = text.service_restart.read().map_err(builtin)?;
        let host_reboot = text.host_reboot.read().map_err(builtin)?;
        let desired = Desired::read(text.desired, text.desired_files.roots, text.desired_services, text.appliers);
        let (desired, reports) = (desired.map_err(builtin)?, text.reports.read().map_err(builtin)?);
        let mut handlers = BTreeMap::new();
        for (name, table) in text.handlers {
            let read = table.read(&name);
            let fault = |why| PolicyError::Handler { path: path.to_owned(), name: name.clone(), why };
            let handling = check_type_name(&name).map_err(|error| error.to_string()).and(read).map_err(fault)?;
            handlers.insert(name, handling);
        }
        Ok(Policy {
            unusable: None,
            service_restart,
            host_reboot,
            handlers,
            desired,
            reports,
            allow_unnamed: text.default == Unnamed::Allow,
            allow: text.allow,
            refuse: text.refuse,
            checksum_roots: Roots::new(text.file_checksum.roots),
            append_roots: Roots::new(text.file_append.roots),
            check_addresses,
        })
    }

    /// The policy that allows nothing.
    pub fn nothing() -> Policy {
        Policy {
            unusable: None,
            service_restart: ServiceRestart::usual(),
            host_reboot: HostReboot::usual(),
            handlers: BTreeMap::new(),
            desired: Desired::nothing(),
            reports: Reports::usual(),
            allow_unnamed: false,
            allow: Vec::new(),
            refuse: Vec::new(),
            checksum_roots: Roots::new(Vec::new()),
            append_roots: Roots::new(Vec::new()),
            check_addresses: Allowed::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text, Path::new("policy.toml"))
    }

    #[test]
    fn the_commented_policy_is_one_and_an_empty_file_allows_nothing() {
        let commented = parse(DEFAULT_TOML).unwrap();
        assert!(commented.allows("sys.info") && !commented.allows("rm.rf"));
        assert_eq!(parse("").unwrap(), Policy::nothing());
    }

    #[test]
    fn a_misspelt_key_is_named_with_the_nearest() {
        let refusal = parse("[http_check]\nalow = []").unwrap_err().to_string();
        assert!(refusal.contains("http_check.alow") && refusal.contains("http_check.allow"), "{refusal}");
        assert!(parse("default = \"maybe\"").is_err());
        assert!(parse("[http_check]\nallow = [\"nonsense\"]").is_err());
    }
}
