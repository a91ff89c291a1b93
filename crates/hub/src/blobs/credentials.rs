//! The keys of an S3 store in a file, in the form that Amazon's own tools use. It is read for every request, so that
//! keys that are changed there hold at once. Their values appear nowhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;

use super::trouble::BlobsError;

/// Largest such file, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// A file with keys.
#[derive(Debug)]
pub(super) struct KeysInFile(PathBuf);

impl KeysInFile {
    /// The file, which must hold keys now.
    pub(super) fn of(file: &Path) -> Result<KeysInFile, BlobsError> {
        let keys = KeysInFile(file.to_owned());
        keys.read().map_err(|why| BlobsError::Setting { key: "credentials_file", why })?;
        Ok(keys)
    }

    fn read(&self) -> Result<AwsCredential, String> {
        let say = |why: String| format!("{}: {why}", self.0.display());
        let text = std::fs::read_to_string(&self.0).map_err(|error| say(error.to_string()))?;
        parse(&text).ok_or_else(|| {
            say("it holds no keys; write aws_access_key_id = … and aws_secret_access_key = …, a line each".to_owned())
        })
    }
}

#[async_trait]
impl CredentialProvider for KeysInFile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        // A small file of this machine's: reading it takes less than handing it to another thread.
        self.read().map(Arc::new).map_err(|why| object_store::Error::Unauthenticated {
            path: "credentials_file".to_owned(),
            source: why.into(),
        })
    }
}

/// The first keys in the file; those of other sections are for others.
fn parse(text: &str) -> Option<AwsCredential> {
    let (mut key_id, mut secret_key, mut token) = (None, None, None);
    if text.len() > BYTES_MAX {
        return None;
    }
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') && key_id.is_some() {
            break;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match name.trim() {
            "aws_access_key_id" => key_id = value,
            "aws_secret_access_key" => secret_key = value,
            "aws_session_token" => token = value,
            _ => {}
        }
    }
    Some(AwsCredential { key_id: key_id?, secret_key: secret_key?, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_one_of_amazon_s_tools() {
        let keys =
            parse("# x\n[default]\naws_access_key_id = A\naws_secret_access_key=b=\n\n[other]\naws_session_token=t\n");
        let keys = keys.unwrap();
        assert_eq!((keys.key_id.as_str(), keys.secret_key.as_str(), keys.token), ("A", "b=", None));
        assert!(parse("aws_access_key_id = A\naws_secret_access_key =\n").is_none());
        assert!(parse("").is_none());
    }
}
