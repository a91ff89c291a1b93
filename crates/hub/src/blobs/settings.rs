//! The `[blobs]` table of the hub's settings: where blobs are kept.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::settings::BadSetting;

/// Where blobs are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlobSettings {
    /// `file:///folder`, `s3://bucket/prefix`, `none`, or empty for the usual.
    pub url: String,
    /// The region of the S3 store.
    pub region: Option<String>,
    /// The address of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Whether the bucket stands in the path of addresses, and not in the name of the host.
    pub path_style: Option<bool>,
    /// The file with the keys.
    pub credentials_file: Option<PathBuf>,
    /// A certificate authority to believe beside the operating system's.
    pub ca_file: Option<PathBuf>,
    /// Whether all hubs have the folder.
    pub shared_folder: bool,
    /// The id of a place that is given up.
    pub in_place_of: Option<String>,
    /// How long a blob stays that nobody refers to any more, in hours.
    pub unreferred_h: u32,
}

impl Default for BlobSettings {
    fn default() -> BlobSettings {
        BlobSettings {
            url: String::new(),
            region: None,
            endpoint: None,
            path_style: None,
            credentials_file: None,
            ca_file: None,
            shared_folder: false,
            in_place_of: None,
            unreferred_h: 24,
        }
    }
}

/// Where it says that blobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Where<'s> {
    /// Nowhere.
    Nowhere,
    /// In this folder.
    Folder(PathBuf),
    /// In this bucket, below this prefix.
    Bucket {
        /// Its name.
        bucket: &'s str,
        /// May be empty.
        prefix: &'s str,
    },
}

impl BlobSettings {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), BadSetting> {
        let refuse = |key, why| Err(BadSetting { key, why });
        let place = self.place(Path::new("/"), false);
        let Some(place) = place else {
            let why =
                "write file:///folder, s3://bucket/prefix, \"none\", or nothing; keys belong into credentials_file";
            return refuse("blobs.url", why);
        };
        let is_bucket = matches!(place, Where::Bucket { .. });
        if let Some(endpoint) = &self.endpoint {
            let begins = endpoint.starts_with("https://") || endpoint.starts_with("http://");
            if !begins || endpoint.contains('@') || reqwest::Url::parse(endpoint).is_err() {
                return refuse("blobs.endpoint", "write https://host:port; keys belong into credentials_file");
            }
        }
        if !is_bucket && (self.endpoint.is_some() || self.credentials_file.is_some() || self.ca_file.is_some()) {
            return refuse("blobs.url", "endpoint, credentials_file and ca_file are for s3://bucket/prefix");
        }
        if self.shared_folder && !self.url.starts_with("file://") {
            return refuse("blobs.shared_folder", "it is for a folder that is named: url = \"file:///folder\"");
        }
        Ok(())
    }

    /// Where blobs are; nothing if the setting cannot be read. `with_server` says that the hub's database is a
    /// PostgreSQL server: a folder of the hub's own would then be half of the truth for a second hub, and it is only
    /// used when it is named.
    pub(super) fn place(&self, data: &Path, with_server: bool) -> Option<Where<'_>> {
        match self.url.as_str() {
            "" if with_server => Some(Where::Nowhere),
            "" => Some(Where::Folder(data.join("blobs"))),
            "none" => Some(Where::Nowhere),
            url => match url.split_once("://")? {
                ("file", path) if path.starts_with('/') && path.len() > 1 => Some(Where::Folder(path.into())),
                ("s3", path) => {
                    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
                    let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                    let is_plain = |text: &str| text.chars().all(known) && !text.is_empty() && text != "..";
                    let prefix = prefix.trim_end_matches('/');
                    let fits = is_plain(bucket) && (prefix.is_empty() || prefix.split('/').all(is_plain));
                    fits.then_some(Where::Bucket { bucket, prefix })
                }
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> BlobSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_place_is_a_folder_a_bucket_or_none() {
        let place = |url: &str, with_server| {
            let settings = BlobSettings { url: url.into(), ..BlobSettings::default() };
            settings.check().unwrap();
            format!("{:?}", settings.place(Path::new("/data"), with_server).unwrap())
        };
        assert_eq!(place("", false), "Folder(\"/data/blobs\")");
        assert_eq!(place("", true), "Nowhere");
        assert_eq!(place("none", false), "Nowhere");
        assert_eq!(place("file:///srv/blobs", true), "Folder(\"/srv/blobs\")");
        assert_eq!(place("s3://b", true), "Bucket { bucket: \"b\", prefix: \"\" }");
        assert_eq!(place("s3://b/one/two/", false), "Bucket { bucket: \"b\", prefix: \"one/two\" }");
    }

    #[test]
    fn what_cannot_be_is_named_with_its_key() {
        for (text, key) in [
            ("url = \"/srv/blobs\"", "blobs.url"),
            ("url = \"file://blobs\"", "blobs.url"),
            ("url = \"https://bucket\"", "blobs.url"),
            ("url = \"s3://key:secret@bucket\"", "blobs.url"),
            ("url = \"s3://\"", "blobs.url"),
            ("url = \"s3://b/a/../c\"", "blobs.url"),
            ("url = \"s3://b\"\nendpoint = \"host:9000\"", "blobs.endpoint"),
            ("url = \"s3://b\"\nendpoint = \"https://key:secret@host\"", "blobs.endpoint"),
            ("endpoint = \"https://host\"", "blobs.url"),
            ("url = \"file:///b\"\ncredentials_file = \"f\"", "blobs.url"),
            ("shared_folder = true", "blobs.shared_folder"),
            ("url = \"s3://b\"\nshared_folder = true", "blobs.shared_folder"),
        ] {
            assert_eq!(settings(text).check().unwrap_err().key, key, "{text}");
        }
    }
}
