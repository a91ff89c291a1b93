//! The specs of the kinds that every agent can do by itself: files, folders and services.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::data::written;
use super::key::ResourceKey;
use super::resources::Resources;
use crate::limits::RESOURCE_CONTENT_BYTES_MAX;

/// The kind of files.
pub const FILE: &str = "file";
/// The kind of folders.
pub const DIRECTORY: &str = "directory";
/// The kind of services.
pub const SERVICE: &str = "service";

/// Whether a thing shall be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ensure {
    /// It shall.
    #[default]
    Present,
    /// It shall not.
    Absent,
}

/// What of a path is looked after beside what is in it. What is absent is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bearing {
    /// Its permission bits.
    pub mode: Option<u32>,
    /// Whose it is, by name.
    pub owner: Option<String>,
    /// Whose group's it is, by name.
    pub group: Option<String>,
}

/// How a file should be.
#[derive(Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Where: absolute, without `.` and `..`.
    pub path: PathBuf,
    /// Whether it shall be there.
    pub ensure: Ensure,
    /// What shall be in it; absent: whatever is.
    pub content: Option<Content>,
    /// Its mode and owner.
    pub bearing: Bearing,
}

/// What shall be in a file. It may be secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// This text.
    Text(String),
    /// The bytes that this base64 stands for.
    Base64(String),
}

/// How a folder should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySpec {
    /// Where: absolute, without `.` and `..`.
    pub path: PathBuf,
    /// Whether it shall be there.
    pub ensure: Ensure,
    /// Its mode and owner.
    pub bearing: Bearing,
}

/// How a service should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name.
    pub service: String,
    /// Whether it shall run.
    pub runs: bool,
    /// Whether it shall be started with the machine; absent: as it is.
    pub enabled: Option<bool>,
}

impl fmt::Debug for FileSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSpec({})", self.path.display())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    path: String,
    #[serde(default)]
    ensure: Ensure,
    content: Option<String>,
    content_base64: Option<String>,
    data: Option<Value>,
    format: Option<String>,
    mode: Option<String>,
    owner: Option<String>,
    group: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectoryText {
    path: String,
    #[serde(default)]
    ensure: Ensure,
    mode: Option<String>,
    owner: Option<String>,
    group: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceText {
    service: String,
    state: ServiceState,
    enabled: Option<bool>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum ServiceState {
    Running,
    Stopped,
}

impl FileSpec {
    /// Reads the spec of a file, its secrets opened. Its data comes out as the text that is written of it.
    ///
    /// # Errors
    /// What is wrong, as a sentence without its full stop; it may repeat a value of the spec.
    pub fn read(spec: &Map<String, Value>) -> Result<FileSpec, String> {
        let FileText { path, ensure, content, content_base64, data, format, mode, owner, group } = text(spec)?;
        if data.is_some() != format.is_some() {
            return Err("how `data` is written stands in `format`: json, yaml or toml".to_owned());
        }
        let content = match (content, content_base64, written(spec)) {
            (None, None, None) => None,
            (Some(text), None, None) => Some(Content::Text(text)),
            (None, Some(text), None) => Some(Content::Base64(text)),
            (None, None, Some(text)) => Some(Content::Text(text.map_err(|wrong| wrong.to_string())?)),
            _ => return Err("a file has one of `content`, `content_base64` and `data`".to_owned()),
        };
        let bytes = match &content {
            None => 0,
            Some(Content::Text(text)) => text.len(),
            Some(Content::Base64(text)) => text.len() / 4 * 3,
        };
        if bytes > RESOURCE_CONTENT_BYTES_MAX {
            return Err(format!("the content of a file has at most {RESOURCE_CONTENT_BYTES_MAX} bytes"));
        }
        Ok(FileSpec { path: place(&path)?, ensure, content, bearing: bearing(mode.as_deref(), owner, group)? })
    }
}

impl DirectorySpec {
    /// Reads the spec of a folder.
    ///
    /// # Errors
    /// What is wrong, as a sentence without its full stop.
    pub fn read(spec: &Map<String, Value>) -> Result<DirectorySpec, String> {
        let DirectoryText { path, ensure, mode, owner, group } = text(spec)?;
        Ok(DirectorySpec { path: place(&path)?, ensure, bearing: bearing(mode.as_deref(), owner, group)? })
    }
}

impl ServiceSpec {
    /// Reads the spec of a service.
    ///
    /// # Errors
    /// What is wrong, as a sentence without its full stop.
    pub fn read(spec: &Map<String, Value>) -> Result<ServiceSpec, String> {
        let ServiceText { service, state, enabled } = text(spec)?;
        if service.is_empty() || service.starts_with('-') || !service.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("this is no name of a service".to_owned());
        }
        Ok(ServiceSpec { service, runs: state == ServiceState::Running, enabled })
    }
}

fn text<T: DeserializeOwned>(spec: &Map<String, Value>) -> Result<T, String> {
    T::deserialize(Value::Object(spec.clone())).map_err(|error| error.to_string())
}

fn place(path: &str) -> Result<PathBuf, String> {
    let path = Path::new(path);
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !path.is_absolute() || path.file_name().is_none() || path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err("`path` is a whole path, beginning with /".to_owned());
    }
    // `components` leaves out `.` in the middle.
    let has_dots = path.as_os_str().as_encoded_bytes().split(|byte| *byte == b'/').any(|part| part == b".");
    if has_dots || !path.components().all(is_plain) {
        return Err("`path` is written without `.` and `..`".to_owned());
    }
    Ok(path.components().collect())
}

fn bearing(mode: Option<&str>, owner: Option<String>, group: Option<String>) -> Result<Bearing, String> {
    let is_octal = |text: &str| (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = match mode {
        None => None,
        Some(text) if is_octal(text) => u32::from_str_radix(text, 8).ok(),
        Some(_) => return Err("`mode` is written as \"0644\"".to_owned()),
    };
    Ok(Bearing { mode, owner, group })
}

/// Files and folders that are to be at the place of another: each with that other.
pub fn clashes(resources: &Resources) -> Vec<(ResourceKey, ResourceKey)> {
    let mut first: std::collections::BTreeMap<PathBuf, &ResourceKey> = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for (key, resource) in resources.iter().filter(|(key, _)| key.kind == FILE || key.kind == DIRECTORY) {
        let path = resource.spec.get("path").and_then(Value::as_str).and_then(|path| place(path).ok());
        let Some(path) = path else { continue };
        match first.get(&path) {
            None => {
                first.insert(path, key);
            }
            Some(other) => found.extend([(key.clone(), (*other).clone()), ((*other).clone(), key.clone())]),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::resources::read;
    use super::*;
    use serde_json::json;

    fn spec(value: Value) -> Map<String, Value> {
        let Value::Object(fields) = value else { panic!("an object") };
        fields
    }

    #[test]
    fn specs_are_read_and_what_is_not_named_is_left_as_it_is() {
        let file = FileSpec::read(&spec(json!({"path": "/srv//motd", "content": "hello", "mode": "0640"}))).unwrap();
        assert_eq!(
            (file.path.to_str(), file.ensure, file.bearing.mode),
            (Some("/srv/motd"), Ensure::Present, Some(0o640))
        );
        assert!(!format!("{file:?}").contains("hello"));
        let data = FileSpec::read(&spec(json!({"path": "/a", "data": {"b": 1, "a": "x"}, "format": "yaml"}))).unwrap();
        assert!(data.content == Some(Content::Text("a: \"x\"\nb: 1\n".to_owned())));
        let folder = DirectorySpec::read(&spec(json!({"path": "/srv/app/", "ensure": "absent"}))).unwrap();
        assert_eq!(
            (folder.path.to_str(), folder.ensure, folder.bearing),
            (Some("/srv/app"), Ensure::Absent, Bearing::default())
        );
        let service = ServiceSpec::read(&spec(json!({"service": "web", "state": "stopped"}))).unwrap();
        assert_eq!((service.runs, service.enabled), (false, None));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (wrong, said) in [
            (json!({"path": "motd"}), "whole path"),
            (json!({"path": "/"}), "whole path"),
            (json!({"path": "/srv/../etc/passwd"}), "without `.`"),
            (json!({"path": "/srv/./motd"}), "without `.`"),
            (json!({"path": "/srv/\u{0}"}), "whole path"),
            (json!({"path": "/a", "mode": "rw"}), "`mode`"),
            (json!({"path": "/a", "mode": "64"}), "`mode`"),
            (json!({"path": "/a", "content": "x", "content_base64": "eA=="}), "one of"),
            (json!({"path": "/a", "content": "x", "data": {}, "format": "json"}), "one of"),
            (json!({"path": "/a", "data": {}}), "stands in `format`"),
            (json!({"path": "/a", "format": "json"}), "stands in `format`"),
            (json!({"path": "/a", "data": {}, "format": "ini"}), "json, yaml or toml"),
            (json!({"path": "/a", "data": {"x": [null]}, "format": "toml"}), "/data/x/0"),
            (json!({"path": "/a", "data": ["x".repeat(RESOURCE_CONTENT_BYTES_MAX)], "format": "yaml"}), "at most"),
            (json!({"path": "/a", "content": "x".repeat(RESOURCE_CONTENT_BYTES_MAX + 1)}), "at most"),
            (json!({"path": "/a", "contents": "x"}), "unknown field"),
        ] {
            let refusal = FileSpec::read(&spec(wrong)).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
        assert!(ServiceSpec::read(&spec(json!({"service": "-f", "state": "running"}))).is_err());
    }

    #[test]
    fn two_resources_at_one_place_are_found() {
        let state = json!({"resources": {
            "file/a": {"spec": {"path": "/srv/x"}}, "directory/b": {"spec": {"path": "/srv//x/"}},
            "file/c": {"spec": {"path": "/srv/y"}}, "tool/d": {"spec": {"path": "/srv/y"}},
        }});
        let (a, b): (ResourceKey, ResourceKey) = ("file/a".parse().unwrap(), "directory/b".parse().unwrap());
        assert_eq!(clashes(&read(&state).unwrap()), [(a.clone(), b.clone()), (b, a)]);
    }
}
