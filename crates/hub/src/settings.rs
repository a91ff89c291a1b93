//! The hub's settings. `settings.default.toml` beside this file is their documentation and their
//! default in one; the program prints it with `sortie hub --print-config`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use sortie_rules::limits::{
    DATABASE_CONNECTION_WAIT, DATABASE_CONNECTIONS, DATABASE_START_WAIT, DATABASE_STATEMENT_MAX, RENEWAL_GRACE,
};
use sortie_rules::liveness::{ChosenThresholds, Thresholds};
use sortie_rules::time::Span;
use sortie_store::{Location, ServerLimits};

pub use crate::blobs::BlobSettings;
pub use crate::edge::EdgeSettings;
pub use crate::outbox::{Begin, NatsSettings};
pub use crate::people::provider::OidcSettings;

/// The commented file with all defaults.
pub const DEFAULT_TOML: &str = include_str!("settings.default.toml");

/// What the hub can be told. See [`DEFAULT_TOML`] for what each key means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The data folder; given on the command line, never in the file.
    #[serde(skip)]
    pub data: PathBuf,
    /// Where agents and people connect.
    pub listen: SocketAddr,
    /// The address that invites carry.
    pub url: Option<String>,
    /// Names for the hub's own certificate.
    pub names: Vec<String>,
    /// A certificate of the operator's.
    pub certificate_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// Where health and metrics are served; `none`, or empty, for nowhere.
    pub operations_listen: String,
    /// PostgreSQL instead of the embedded database.
    pub database_url: Option<String>,
    /// The key that seals the hub's keys in a PostgreSQL database.
    pub master_key_file: Option<PathBuf>,
    /// How the line to a PostgreSQL server is used.
    pub database: Database,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most connections from one address.
    pub connections_per_address_max: usize,
    /// How many requests one caller may send.
    pub limits: Limits,
    /// How long a stop waits for requests under way, in seconds.
    pub stop_grace_s: u32,
    /// How long a hub that was asked to stop serves on while it says that it is not ready, in seconds.
    pub drain_s: u32,
    /// If not empty, only these names may enrol.
    pub node_names: Vec<String>,
    /// How many days after its end a node's certificate can be renewed with the node's key.
    pub renewal_grace_days: u32,
    /// Folders of packs, beside those in the data folder.
    pub packs: Vec<PathBuf>,
    /// The mail server for post-steps.
    pub mail: Option<MailSettings>,
    /// The webhooks that post-steps may call, by the name that packs use.
    pub webhooks: BTreeMap<String, WebhookSettings>,
    /// Where events go.
    pub nats: Option<NatsSettings>,
    /// Where blobs are kept.
    pub blobs: BlobSettings,
    /// Where the hub itself may call.
    pub outgoing: Outgoing,
    /// Where the hub enforces what is for no node.
    pub edge: EdgeSettings,
    /// Where people sign in.
    pub oidc: OidcSettings,
    /// Whether trusts are served over the API that they knew before.
    pub trust_api: bool,
    /// Where traces go.
    pub otlp_endpoint: Option<String>,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// When nodes are called stale and down.
    pub presence: Presence,
    /// How long things are kept.
    pub retention: Retention,
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

/// The `[database]` table: how the line to a PostgreSQL server is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// Most connections at once.
    pub connections: u32,
    /// Longest wait for a free connection, in seconds.
    pub connection_wait_s: u32,
    /// Longest time of one statement, in seconds.
    pub statement_max_s: u32,
    /// How long a hub that starts waits for its database, in seconds.
    pub start_wait_s: u32,
}

/// The `[presence]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Presence {
    /// Silence after which a node is stale, in seconds (B-24).
    pub stale_after_s: u32,
    /// Silence after which a node is down, in seconds (B-24).
    pub down_after_s: u32,
    /// How often silence is looked at, in seconds (B-24).
    pub check_every_s: u32,
    /// How often presence is written down, in seconds.
    pub flush_every_s: u32,
    /// What holds instead for nodes of a kind, by its name.
    pub kinds: BTreeMap<String, KindPresence>,
}

/// A `[presence.kinds.NAME]` table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KindPresence {
    /// Silence after which such a node is stale, in seconds.
    pub stale_after_s: Option<u32>,
    /// Silence after which such a node is down, in seconds.
    pub down_after_s: Option<u32>,
}

/// The `[limits]` table: how many requests one caller may send.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a second of one person or program; 0 for no limit.
    pub requests_per_principal: u32,
    /// How many of them may come at once after a pause.
    pub requests_per_principal_burst: u32,
    /// Requests a second without a proof that holds, from one address; 0 for no limit.
    pub requests_per_address: u32,
    /// How many of them may come at once after a pause.
    pub requests_per_address_burst: u32,
}

/// The `[retention]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// How long ended tasks are kept, in days.
    pub tasks_d: u32,
    /// How long events are kept, in days.
    pub events_d: u32,
    /// How long the logs of an ended task stay in the database before they are put away as blobs, in hours.
    pub logs_in_store_h: u32,
    /// How long reports of nodes are kept, in days; the newest of each kind stays.
    pub reports_d: u32,
    /// How long publications of desired states are kept, in days; those that some node has, what stands, and the newest
    /// of each layer stay.
    pub publications_d: u32,
    /// How long alarms are kept that are over, in days.
    pub alarms_d: u32,
    /// How long it is kept what was told to whom, and what was held back, in days.
    pub notifications_d: u32,
}

/// The `[mail]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// The server.
    pub host: String,
    /// Its port.
    #[serde(default = "submission_port")]
    pub port: u16,
    /// How the line is protected.
    #[serde(default)]
    pub security: MailSecurity,
    /// Whom mails are from.
    pub from: String,
    /// Who signs in, if the server asks for it.
    pub user: Option<String>,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
    /// A certificate authority to believe beside the operating system's.
    pub ca_file: Option<PathBuf>,
}

/// How the line to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Not at all.
    None,
    /// By STARTTLS, without which nothing is sent.
    #[default]
    Starttls,
    /// By TLS from the first byte on.
    Tls,
}

/// A `[webhooks.NAME]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where it is called.
    pub url: String,
    /// The file with the secret that signs calls.
    pub secret_file: PathBuf,
}

/// The `[outgoing]` table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outgoing {
    /// Private addresses that webhooks may be at, those of post-steps and of recipients.
    pub private: Vec<String>,
}

/// The port at which mail servers take mails for sending on (RFC 6409).
fn submission_port() -> u16 {
    587
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            data: PathBuf::new(),
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            url: None,
            names: Vec::new(),
            certificate_file: None,
            key_file: None,
            operations_listen: "127.0.0.1:9443".to_owned(),
            database_url: None,
            master_key_file: None,
            database: Database::default(),
            connections_max: 50_000,
            connections_per_address_max: 10_000,
            limits: Limits::default(),
            stop_grace_s: 10,
            drain_s: 0,
            node_names: Vec::new(),
            renewal_grace_days: u32::try_from(RENEWAL_GRACE.0 / Span::days(1).0).unwrap_or(u32::MAX),
            packs: Vec::new(),
            mail: None,
            webhooks: BTreeMap::new(),
            nats: None,
            blobs: BlobSettings::default(),
            outgoing: Outgoing::default(),
            edge: EdgeSettings::default(),
            oidc: OidcSettings::default(),
            trust_api: false,
            otlp_endpoint: None,
            log_format: LogFormat::Text,
            presence: Presence::default(),
            retention: Retention::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Database {
        let seconds = |span: Span| u32::try_from(span.0 / 1000).unwrap_or(u32::MAX);
        Database {
            connections: DATABASE_CONNECTIONS,
            connection_wait_s: seconds(DATABASE_CONNECTION_WAIT),
            statement_max_s: seconds(DATABASE_STATEMENT_MAX),
            start_wait_s: seconds(DATABASE_START_WAIT),
        }
    }
}

impl Default for Presence {
    fn default() -> Presence {
        Presence {
            stale_after_s: 1800,
            down_after_s: 3600,
            check_every_s: 60,
            flush_every_s: 180,
            kinds: BTreeMap::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            requests_per_principal: 200,
            requests_per_principal_burst: 400,
            requests_per_address: 400,
            requests_per_address_burst: 800,
        }
    }
}

impl Default for Retention {
    fn default() -> Retention {
        Retention {
            tasks_d: 90,
            events_d: 365,
            logs_in_store_h: 24,
            reports_d: 30,
            publications_d: 365,
            alarms_d: 365,
            notifications_d: 90,
        }
    }
}

/// Settings that contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting `{key}`: {why}")]
pub struct BadSetting {
    /// Which key.
    pub key: &'static str,
    pub(crate) why: &'static str,
}

impl Settings {
    /// Checks what the types cannot say.
    pub fn check(&self) -> Result<(), BadSetting> {
        let refuse = |key, why| Err(BadSetting { key, why });
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return refuse("certificate_file", "a certificate needs its key_file, and a key its certificate_file");
        }
        if self.presence.stale_after_s == 0 || self.presence.down_after_s < self.presence.stale_after_s {
            return refuse("presence.down_after_s", "it must be at least stale_after_s, and both above 0");
        }
        for kind in self.presence.kinds.values() {
            let stale_after_s = kind.stale_after_s.unwrap_or(self.presence.stale_after_s);
            if stale_after_s == 0 || kind.down_after_s.unwrap_or(self.presence.down_after_s) < stale_after_s {
                return refuse(
                    "presence.kinds",
                    "of a kind, down_after_s must be at least stale_after_s, and both above 0",
                );
            }
        }
        if self.presence.check_every_s == 0 || self.presence.flush_every_s == 0 {
            return refuse("presence.check_every_s", "it must be above 0, and so must flush_every_s");
        }
        let Database { connections, connection_wait_s, statement_max_s, .. } = self.database;
        if connections == 0 || connection_wait_s == 0 || statement_max_s == 0 {
            return refuse(
                "database.connections",
                "it must be above 0, and so must connection_wait_s and statement_max_s",
            );
        }
        if self.connections_max == 0 || self.connections_per_address_max == 0 {
            return refuse("connections_max", "it must be above 0, and so must connections_per_address_max");
        }
        let Limits { requests_per_principal_burst: principal, requests_per_address_burst: address, .. } = self.limits;
        if principal == 0 || address == 0 {
            return refuse("limits.requests_per_principal_burst", "it must be above 0, and so must the address's");
        }
        if let Some(mail) = &self.mail {
            if mail.user.is_some() != mail.password_file.is_some() {
                return refuse("mail.user", "a user needs a password_file, and a password_file its user");
            }
            if mail.user.is_some() && mail.security == MailSecurity::None {
                return refuse("mail.security", "a password must not travel in the clear");
            }
        }
        if let Some(nats) = &self.nats {
            nats.check()?;
        }
        self.oidc.check()?;
        self.blobs.check()?;
        self.edge.check()?;
        if self.url.as_deref().is_some_and(|url| !url.starts_with("https://")) {
            return refuse("url", "it must begin with https://");
        }
        let operations = self.operations_listen.as_str();
        if !["", "none"].contains(&operations) && operations.parse::<SocketAddr>().is_err() {
            return refuse(
                "operations_listen",
                "it must be an address with a port, such as 127.0.0.1:9443, or \"none\"",
            );
        }
        Ok(())
    }

    /// Where the database is.
    pub(crate) fn location(&self) -> Location {
        match &self.database_url {
            Some(url) => Location::Postgres(url.clone()),
            None => Location::Sqlite(self.data.join("sortie.db")),
        }
    }

    /// The folder whose packs are read without being named.
    pub(crate) fn packs_folder(&self) -> PathBuf {
        self.data.join("packs")
    }

    /// How long after its end a node's certificate can be renewed.
    pub(crate) fn renewal_grace(&self) -> Span {
        Span::days(self.renewal_grace_days.into())
    }

    /// The limits of the line to a PostgreSQL server.
    pub(crate) fn server_limits(&self) -> ServerLimits {
        let Database { connection_wait_s, statement_max_s, start_wait_s, .. } = self.database;
        ServerLimits {
            start_wait: Span::seconds(start_wait_s.into()),
            connection_wait: Span::seconds(connection_wait_s.into()),
            statement_max: Span::seconds(statement_max_s.into()),
        }
    }

    /// By how much the clocks of the hub and the identity provider may differ.
    pub(crate) fn oidc_leeway(&self) -> Span {
        Span::seconds(self.oidc.leeway_s.into())
    }
}

impl Presence {
    /// The thresholds for nodes of a kind that have none of their own.
    pub(crate) fn thresholds(&self, kind: &str) -> Thresholds {
        let span = |seconds: u32| Span::seconds(seconds.into());
        let usual = Thresholds { stale_after: span(self.stale_after_s), down_after: span(self.down_after_s) };
        let chosen = self.kinds.get(kind).map_or_else(ChosenThresholds::default, |of_kind| ChosenThresholds {
            stale_after: of_kind.stale_after_s.map(span),
            down_after: of_kind.down_after_s.map(span),
        });
        chosen.over(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_file_says_what_the_defaults_are() {
        assert_eq!(toml::from_str::<Settings>(DEFAULT_TOML).unwrap(), Settings::default());
        Settings::default().check().unwrap();
    }

    #[test]
    fn contradictions_are_named() {
        let key = |settings: Settings| settings.check().unwrap_err().key;
        assert_eq!(key(Settings { key_file: Some("k".into()), ..Settings::default() }), "certificate_file");
        let presence = Presence { stale_after_s: 9, down_after_s: 8, ..Presence::default() };
        assert_eq!(key(Settings { presence, ..Settings::default() }), "presence.down_after_s");
        let kind = KindPresence { stale_after_s: Some(7200), down_after_s: None };
        let presence = Presence { kinds: BTreeMap::from([("guest".to_owned(), kind)]), ..Presence::default() };
        assert_eq!(key(Settings { presence, ..Settings::default() }), "presence.kinds");
        let limits = Limits { requests_per_address_burst: 0, ..Limits::default() };
        assert_eq!(key(Settings { limits, ..Settings::default() }), "limits.requests_per_principal_burst");
        let database = Database { statement_max_s: 0, ..Database::default() };
        assert_eq!(key(Settings { database, ..Settings::default() }), "database.connections");
        assert_eq!(key(Settings { url: Some("http://x".into()), ..Settings::default() }), "url");
        assert_eq!(key(Settings { operations_listen: "x".into(), ..Settings::default() }), "operations_listen");
    }
}
