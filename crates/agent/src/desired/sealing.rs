//! The key to which the hub seals this node's secrets, in a file of its own, and what it opens: in memory only.

use std::io;
use std::path::Path;

use serde::Deserialize as _;
use serde_json::{Map, Value};
use sortie_rules::desired::{ResourceKey, SEALED};
use sortie_rules::ids::NodeId;
use sortie_rules::masking::{Masker, secrets_of};
use sortie_wire::desired::Sealed;
use sortie_wire::sealing::{OpeningKey, Place};

use super::trouble::Trouble;
use crate::data_folder::{FolderError, write_whole};

const FILE: &str = "sealing.key";

/// The key of this data folder. It is made where there is none.
pub(crate) fn opening_key(folder: &Path) -> Result<OpeningKey, FolderError> {
    let path = folder.join(FILE);
    let fault = |source| FolderError::Io { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let key = hex::decode(text.trim()).ok().and_then(|bytes| OpeningKey::from_bytes(&bytes).ok());
            let damaged = || io::Error::other("it holds no key; remove it, and publish anew what holds secrets");
            key.ok_or_else(|| fault(damaged()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = OpeningKey::generate();
            write_whole(&path, hex::encode(key.secret_bytes()).as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(fault(error)),
    }
}

/// A spec whose secrets are opened.
pub(super) struct Revealed {
    pub(super) spec: Map<String, Value>,
    /// What must not be told of it, in the forms in which it could be.
    hidden: Vec<String>,
    /// Whether there is any secret in it, however short.
    pub(super) is_secret: bool,
}

/// Where a spec stands, and who opens it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opener<'o> {
    pub(super) key: &'o OpeningKey,
    pub(super) node: NodeId,
    pub(super) generation: u64,
}

impl Opener<'_> {
    /// Opens what is sealed in the spec of a resource.
    pub(super) fn reveal(&self, resource: &ResourceKey, spec: &Map<String, Value>) -> Result<Revealed, Trouble> {
        let mut secrets = Vec::new();
        let revealed = self.value(resource, &Value::Object(spec.clone()), "", &mut secrets)?;
        let Value::Object(spec) = revealed else {
            return Err(Trouble::failed("bad_spec", "its spec is a secret as a whole"));
        };
        let is_secret = !secrets.is_empty();
        let mut hidden = secrets_of(&Value::Array(secrets.clone()), &["/*".to_owned()]);
        // A secret of several lines may be told line by line.
        let lines = secrets.iter().filter_map(Value::as_str).flat_map(str::lines).map(Value::from).collect();
        hidden.extend(secrets_of(&Value::Array(lines), &["/*".to_owned()]));
        hidden.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        hidden.dedup();
        Ok(Revealed { spec, hidden, is_secret })
    }

    fn value(
        &self,
        resource: &ResourceKey,
        value: &Value,
        pointer: &str,
        secrets: &mut Vec<Value>,
    ) -> Result<Value, Trouble> {
        match value {
            Value::Object(fields) => match fields.get(SEALED) {
                Some(sealed) if fields.len() == 1 => {
                    let opened = Value::String(self.open(resource, sealed, pointer)?);
                    secrets.push(opened.clone());
                    Ok(opened)
                }
                _ => {
                    let field = |(name, field): (&String, &Value)| {
                        let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                        Ok((name.clone(), self.value(resource, field, &at, secrets)?))
                    };
                    fields.iter().map(field).collect::<Result<_, _>>().map(Value::Object)
                }
            },
            Value::Array(items) => {
                let item = |(index, item)| self.value(resource, item, &format!("{pointer}/{index}"), secrets);
                items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::Array)
            }
            other => Ok(other.clone()),
        }
    }

    fn open(&self, resource: &ResourceKey, sealed: &Value, pointer: &str) -> Result<String, Trouble> {
        let failed = |why: String| Trouble::failed("secret_unreadable", format!("the secret at {pointer}: {why}"));
        let sealed = Sealed::deserialize(sealed).map_err(|_| failed("it is not sealed as secrets are".to_owned()))?;
        let place = Place { node: self.node, generation: self.generation, resource, pointer };
        let opened = self.key.open(&place, &sealed).map_err(|error| failed(error.to_string()))?;
        String::from_utf8(opened).map_err(|_| failed("it is no text".to_owned()))
    }
}

impl Revealed {
    /// A text without the secrets.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut masker = Masker::new(self.hidden.clone());
        let mut masked = masker.push(text.as_bytes());
        masked.extend(masker.finish());
        String::from_utf8_lossy(&masked).into_owned()
    }

    /// The same for what is told of how a resource is.
    pub(super) fn masked_map(&self, map: Map<String, Value>) -> Map<String, Value> {
        map.into_iter().map(|(name, value)| (self.masked(&name), self.masked_value(value))).collect()
    }

    fn masked_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.masked(&text)),
            Value::Number(number) if self.hidden.contains(&number.to_string()) => Value::String("[secret]".to_owned()),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.masked_value(item)).collect()),
            Value::Object(fields) => Value::Object(self.masked_map(fields)),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sortie_rules::ids::Id;
    use sortie_wire::sealing::seal;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = opening_key(folder.path()).unwrap();
        assert_eq!(opening_key(folder.path()).unwrap().seal_to(), first.seal_to());
        let path = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "nonsense").unwrap();
        assert!(opening_key(folder.path()).is_err());
    }

    #[test]
    fn secrets_are_opened_in_their_places_only_and_masked_wherever_they_are_told() {
        let key = OpeningKey::generate();
        let node = Id::from_uuid(uuid::Uuid::from_u128(7));
        let resource: ResourceKey = "tool/x".parse().unwrap();
        let sealed = |pointer: &str, text: &str| {
            let place = Place { node, generation: 3, resource: &resource, pointer };
            json!({ SEALED: seal(key.seal_to(), &place, text.as_bytes()).unwrap() })
        };
        let env = json!({ "a/b": sealed("/env/a~1b", "hunter22\nsecond") });
        let spec = json!({ "plain": 1, "env": env, "list": [sealed("/list/0", "pin0")] });
        let Value::Object(spec) = spec else { panic!("an object") };
        let opener = Opener { key: &key, node, generation: 3 };
        let revealed = opener.reveal(&resource, &spec).unwrap();
        let expected = json!({"plain": 1, "env": {"a/b": "hunter22\nsecond"}, "list": ["pin0"]});
        assert_eq!((Value::Object(revealed.spec.clone()), revealed.is_secret), (expected, true));
        assert_eq!(revealed.masked("not hunter22, nor pin0"), "not [secret], nor [secret]");
        let Value::Object(told) = json!({"x": ["hunter22"], "y": {"z": "a second"}}) else { panic!("an object") };
        assert_eq!(Value::Object(revealed.masked_map(told)), json!({"x": ["[secret]"], "y": {"z": "a [secret]"}}));
        let elsewhere = Opener { generation: 4, ..opener }.reveal(&resource, &spec);
        assert_eq!(elsewhere.err().unwrap().reason, "secret_unreadable");
    }
}
