//! The `[nats]` table of the hub's settings.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sortie_rules::limits::{OUTBOX_HELD_DEFAULT, OUTBOX_IN_FLIGHT_DEFAULT, OUTBOX_IN_FLIGHT_MAX};
use sortie_rules::outbox::{check_nats_name, check_prefix};
use sortie_rules::time::Span;

use crate::settings::BadSetting;

/// The `[nats]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatsSettings {
    /// Where NATS is; several addresses have commas between them.
    pub url: String,
    /// The file with a JWT and its key, as `nsc` makes it.
    pub credentials_file: Option<PathBuf>,
    /// Who signs in, if not with credentials.
    pub user: Option<String>,
    /// The file with the user's password.
    pub password_file: Option<PathBuf>,
    /// The certificate authority to believe in place of the operating system's.
    pub ca_file: Option<PathBuf>,
    /// The stream that takes the events.
    #[serde(default = "default_stream")]
    pub stream: String,
    /// What stands before every subject.
    #[serde(default = "default_prefix")]
    pub subject_prefix: String,
    /// Where to begin, when nothing was ever relayed.
    #[serde(default)]
    pub begin: Begin,
    /// Under which name it is remembered how far the relay is.
    #[serde(default = "default_relay")]
    pub relay: String,
    /// How many events are under way at once.
    #[serde(default = "default_in_flight")]
    pub in_flight_max: u32,
    /// How many days beyond their retention events are kept that NATS has not got.
    #[serde(default = "default_held")]
    pub held_d: u32,
}

/// Where a relay begins that never ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Begin {
    /// With the oldest event that is kept.
    #[default]
    Oldest,
    /// With what happens next.
    New,
}

/// Settings of NATS that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("setting `nats.{key}`: {why}")]
pub struct NatsError {
    pub(super) key: &'static str,
    pub(super) why: String,
}

fn default_stream() -> String {
    "SORTIE".to_owned()
}

fn default_prefix() -> String {
    "sortie.events".to_owned()
}

fn default_relay() -> String {
    "nats".to_owned()
}

fn default_in_flight() -> u32 {
    OUTBOX_IN_FLIGHT_DEFAULT
}

fn default_held() -> u32 {
    u32::try_from(OUTBOX_HELD_DEFAULT.0 / Span::days(1).0).unwrap_or(u32::MAX)
}

impl NatsSettings {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), BadSetting> {
        let refuse = |key, why| Err(BadSetting { key, why });
        for url in self.urls() {
            let Ok(address) = reqwest::Url::parse(url) else {
                return refuse("nats.url", "write nats://HOST:4222 or tls://HOST:4222; several with commas between");
            };
            if !["nats", "tls"].contains(&address.scheme()) || !address.has_host() {
                return refuse("nats.url", "it must begin with nats:// or tls://, and name a host");
            }
            if !address.username().is_empty() || address.password().is_some() {
                return refuse("nats.url", "it stands in logs; give the user as `user` and `password_file`");
            }
            if self.user.is_some() && address.scheme() == "nats" && !is_loopback(&address) {
                return refuse("nats.url", "a password must not travel in the clear; write tls:// in place of nats://");
            }
            if self.ca_file.is_some() && address.scheme() == "nats" {
                return refuse("nats.ca_file", "it is for TLS; write tls:// in place of nats:// in the url");
            }
        }
        if self.user.is_some() != self.password_file.is_some() {
            return refuse("nats.user", "a user needs a password_file, and a password_file its user");
        }
        if self.user.is_some() && self.credentials_file.is_some() {
            return refuse("nats.credentials_file", "there are two ways to sign in; choose this or `user`");
        }
        if check_nats_name(&self.stream).is_err() {
            return refuse("nats.stream", "write letters, digits, `-` and `_`, such as SORTIE");
        }
        if check_prefix(&self.subject_prefix).is_err() {
            return refuse("nats.subject_prefix", "write words with dots between them, such as sortie.events");
        }
        if check_nats_name(&self.relay).is_err() {
            return refuse("nats.relay", "write letters, digits, `-` and `_`, such as nats");
        }
        if self.in_flight_max == 0 || self.in_flight_max > OUTBOX_IN_FLIGHT_MAX {
            return refuse("nats.in_flight_max", "it must be from 1 to 4096");
        }
        Ok(())
    }

    /// The addresses, one by one.
    pub(super) fn urls(&self) -> Vec<&str> {
        self.url.split(',').map(str::trim).collect()
    }

    /// How long beyond their retention events are kept that NATS has not got.
    pub(crate) fn held(&self) -> Span {
        Span::days(self.held_d.into())
    }

    /// The files that it names can be read.
    pub(super) fn files_are_there(&self) -> Result<(), NatsError> {
        let files = [
            ("credentials_file", &self.credentials_file),
            ("password_file", &self.password_file),
            ("ca_file", &self.ca_file),
        ];
        for (key, file) in files {
            file.as_deref().map(|file| read(key, file)).transpose()?;
        }
        Ok(())
    }
}

/// The text of a file that a setting names.
pub(super) fn read(key: &'static str, file: &Path) -> Result<String, NatsError> {
    std::fs::read_to_string(file).map_err(|error| NatsError { key, why: format!("{}: {error}", file.display()) })
}

fn is_loopback(address: &reqwest::Url) -> bool {
    let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> NatsSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn an_address_is_enough() {
        let plain = settings("url = \"nats://a:4222, tls://b\"");
        plain.check().unwrap();
        assert_eq!(plain.urls(), ["nats://a:4222", "tls://b"]);
        assert_eq!((plain.stream.as_str(), plain.held_d, plain.begin), ("SORTIE", 30, Begin::Oldest));
    }

    #[test]
    fn contradictions_are_named() {
        for (text, key) in [
            ("url = \"\"", "nats.url"),
            ("url = \"a:4222\"", "nats.url"),
            ("url = \"https://a\"", "nats.url"),
            ("url = \"nats://u:p@a\"", "nats.url"),
            ("url = \"nats://a,tls://u@b\"", "nats.url"),
            ("url = \"nats://a\"\nuser = \"u\"\npassword_file = \"f\"", "nats.url"),
            ("url = \"nats://a\"\nca_file = \"f\"", "nats.ca_file"),
            ("url = \"tls://a\"\nuser = \"u\"", "nats.user"),
            (
                "url = \"tls://a\"\nuser = \"u\"\npassword_file = \"f\"\ncredentials_file = \"g\"",
                "nats.credentials_file",
            ),
            ("url = \"tls://a\"\nstream = \"a.b\"", "nats.stream"),
            ("url = \"tls://a\"\nsubject_prefix = \"a.>\"", "nats.subject_prefix"),
            ("url = \"tls://a\"\nrelay = \"\"", "nats.relay"),
            ("url = \"tls://a\"\nin_flight_max = 0", "nats.in_flight_max"),
        ] {
            assert_eq!(settings(text).check().unwrap_err().key, key, "{text}");
        }
        let on_this_machine = "url = \"nats://127.0.0.1:4222\"\nuser = \"u\"\npassword_file = \"f\"";
        settings(on_this_machine).check().unwrap();
    }
}
