//! The agent's settings as they are used.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sortie_client::Proxy;
use sortie_client::agent::Choice;
use sortie_rules::limits::{AGENT_CONCURRENCY_DEFAULT, AGENT_PREFETCH_DEFAULT};
use sortie_rules::time::Span;

/// The commented file with all defaults.
pub const DEFAULT_TOML: &str = include_str!("agent.default.toml");

/// What the agent can be told. See [`DEFAULT_TOML`] for what each key means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The data folder; given on the command line, never in the file.
    #[serde(skip)]
    pub data: PathBuf,
    /// The file that these settings were read from, if it is not `agent.toml` in the data folder.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Most tasks that run at once; at least 1.
    pub concurrency: u32,
    /// How many tasks to take beyond those.
    pub prefetch: u32,
    /// How long a stop waits for running tasks, in seconds.
    pub stop_grace_s: u32,
    /// A certificate authority to believe beside the hub's own.
    pub ca_file: Option<PathBuf>,
    /// Whether the operating system's authorities are believed beside the hub's own.
    pub ca_system: bool,
    /// With what the agent proves who it is.
    pub proof: Choice,
    /// The socket of the helper that runs programs as other users.
    pub helper: Option<PathBuf>,
    /// The site's policy; `policy.toml` in the data folder if absent.
    pub policy_file: Option<PathBuf>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// How much of it.
    pub log_level: LogLevel,
    /// The way out.
    pub proxy: ProxySettings,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs someone to act.
    Error,
    /// What may.
    Warn,
    /// What happened.
    Info,
    /// Why.
    Debug,
    /// Every step.
    Trace,
}

/// The way out of the site.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxySettings {
    /// `environment`, `none`, or an address.
    pub url: String,
    /// User for `Proxy-Authorization`.
    pub user: Option<String>,
    /// Password for `Proxy-Authorization`.
    pub password: Option<String>,
    /// Hosts that are reached without it.
    pub except: Option<String>,
}

impl Settings {
    /// The defaults, for this data folder.
    pub fn for_data(data: impl Into<PathBuf>) -> Settings {
        Settings { data: data.into(), ..Settings::default() }
    }

    /// Where the site's policy stands.
    pub fn policy_path(&self) -> PathBuf {
        self.policy_file.clone().unwrap_or_else(|| self.data.join("policy.toml"))
    }

    pub(crate) fn stop_grace(&self) -> Span {
        Span::seconds(i64::from(self.stop_grace_s))
    }

    /// The certificates to believe beside the hub's own, if a file was named.
    pub(crate) fn ca_pem(&self) -> Result<Option<String>, UnreadableFile> {
        self.ca_file.as_deref().map(read_text).transpose()
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            data: PathBuf::new(),
            file: None,
            concurrency: AGENT_CONCURRENCY_DEFAULT,
            prefetch: AGENT_PREFETCH_DEFAULT,
            stop_grace_s: 10,
            ca_file: None,
            ca_system: false,
            proof: Choice::Auto,
            helper: None,
            policy_file: None,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
            proxy: ProxySettings::default(),
        }
    }
}

impl Default for ProxySettings {
    fn default() -> ProxySettings {
        ProxySettings { url: "environment".to_owned(), user: None, password: None, except: None }
    }
}

impl ProxySettings {
    /// The proxy as the client takes it.
    pub fn to_proxy(&self) -> Proxy {
        match self.url.as_str() {
            "environment" | "" => Proxy::Environment,
            "none" => Proxy::Direct,
            url => Proxy::At {
                url: url.to_owned(),
                credentials: self.user.clone().map(|user| (user, self.password.clone().unwrap_or_default())),
                except: self.except.clone(),
            },
        }
    }
}

/// A file that was named cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read", .path.display())]
pub struct UnreadableFile {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

fn read_text(path: &Path) -> Result<String, UnreadableFile> {
    std::fs::read_to_string(path).map_err(|source| UnreadableFile { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::config::{known_keys, load};

    #[test]
    fn the_commented_file_says_what_the_program_does() {
        let keys = known_keys(DEFAULT_TOML);
        let known: Vec<&str> = keys.iter().map(String::as_str).collect();
        let read: Settings = load(DEFAULT_TOML, "agent.toml", std::iter::empty(), "SORTIE_AGENT_", &known).unwrap();
        assert_eq!(read, Settings::default());
        let all = DEFAULT_TOML
            .replace("# helper", "helper")
            .replace("# ca_file", "ca_file")
            .replace("# policy_file", "policy_file");
        let all = all.replace("# user", "user").replace("# password", "password").replace("# except", "except");
        load::<Settings>(&all, "agent.toml", std::iter::empty(), "SORTIE_AGENT_", &known).unwrap();
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let keys = known_keys(DEFAULT_TOML);
        let known: Vec<&str> = keys.iter().map(String::as_str).collect();
        let refusal = load::<Settings>("concurency = 3", "agent.toml", std::iter::empty(), "SORTIE_AGENT_", &known);
        assert!(refusal.unwrap_err().to_string().contains("did you mean `concurrency`?"));
    }
}
