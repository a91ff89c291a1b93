//! The place of blobs: a folder, or a bucket of an S3 store. What it keeps is under plain names, so that other tools
//! can copy it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, Certificate, ClientOptions, ObjectStore, RetryConfig};
use sortie_rules::limits::{BLOB_CALL_MAX, BLOB_CONNECT_MAX, BLOB_REPEATS_MAX};

use super::credentials::KeysInFile;
use super::settings::{BlobSettings, Where};
use super::trouble::BlobsError;

/// Where blobs are.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// What stands before each name; with a slash at its end, or empty.
    pub(super) prefix: String,
    /// As people know it.
    told: String,
    is_folder: bool,
}

impl Place {
    /// The place that the settings name, if they name one. `data` is the data folder; `with_server` says that the
    /// database is a PostgreSQL server.
    pub(crate) fn of(settings: &BlobSettings, data: &Path, with_server: bool) -> Result<Option<Place>, BlobsError> {
        match settings.place(data, with_server) {
            None | Some(Where::Nowhere) => Ok(None),
            Some(Where::Folder(folder)) => Place::folder(&folder).map(Some),
            Some(Where::Bucket { bucket, prefix }) => Place::bucket(settings, bucket, prefix).map(Some),
        }
    }

    fn folder(folder: &Path) -> Result<Place, BlobsError> {
        let told = format!("the folder {}", folder.display());
        let cannot = |why: String| BlobsError::Unusable { place: told.clone(), why };
        // The last step of the path alone is made: a disk that is not mounted must not be taken for an empty one.
        let made = fs::DirBuilder::new().mode(0o700).create(folder);
        match made {
            Err(error) if !folder.is_dir() => return Err(cannot(error.to_string())),
            _ => {}
        }
        if fs::metadata(folder).is_ok_and(|folder| folder.permissions().mode() & 0o007 != 0) {
            tracing::warn!(folder = %folder.display(), "Others on this machine may read blobs; try chmod o-rwx");
        }
        // That it was made is on disk only once its own folder is.
        let above = folder.parent().unwrap_or(folder);
        fs::File::open(above).and_then(|above| above.sync_all()).map_err(|error| cannot(error.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| cannot(error.to_string()))?;
        let objects = Arc::new(objects.with_fsync(true));
        Ok(Place { objects, prefix: String::new(), told, is_folder: true })
    }

    fn bucket(settings: &BlobSettings, bucket: &str, prefix: &str) -> Result<Place, BlobsError> {
        let told = match &settings.endpoint {
            Some(endpoint) => format!("{} at {endpoint}", settings.url),
            None => settings.url.clone(),
        };
        // The variables that Amazon's own tools know, as far as the settings do not say otherwise.
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_virtual_hosted_style_request(!settings.path_style.unwrap_or(settings.endpoint.is_some()))
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: BLOB_REPEATS_MAX,
                retry_timeout: BLOB_CALL_MAX.to_std(),
            });
        let mut client =
            ClientOptions::new().with_connect_timeout(BLOB_CONNECT_MAX.to_std()).with_timeout(BLOB_CALL_MAX.to_std());
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
            client = client.with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(file) = &settings.ca_file {
            let wrong = |why: String| BlobsError::Setting { key: "ca_file", why: format!("{}: {why}", file.display()) };
            let pem = fs::read(file).map_err(|error| wrong(error.to_string()))?;
            let all = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            if all.is_empty() {
                return Err(wrong("it holds no certificate (PEM)".to_owned()));
            }
            client = all.into_iter().fold(client, ClientOptions::with_root_certificate);
        }
        if let Some(file) = &settings.credentials_file {
            builder = builder.with_credentials(Arc::new(KeysInFile::of(file)?));
        }
        let objects = builder.with_client_options(client).build();
        let objects = objects.map_err(|error| BlobsError::Unusable { place: told.clone(), why: error.to_string() })?;
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Place { objects: Arc::new(objects), prefix, told, is_folder: false })
    }

    /// As people know it.
    pub(crate) fn told(&self) -> &str {
        &self.told
    }

    /// Whether it is a folder, which a backup takes with it.
    pub(crate) fn is_folder(&self) -> bool {
        self.is_folder
    }
}
