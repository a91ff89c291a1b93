//! What is asked of the place of blobs: each call has a time within which it ends, and is counted.

use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt as _, PutPayload};
use sortie_rules::limits::{BLOB_BYTES_MAX, BLOB_CALL_MAX, BLOB_PART_BYTES};
use sortie_rules::time::Span;

use super::place::Place;
use super::trouble::Trouble;
use crate::clock::Stopwatch;

impl Place {
    /// Keeps bytes under a name: all of them, or nothing can be seen there.
    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Trouble> {
        let (path, length) = (self.path(name), bytes.len());
        match length > BLOB_PART_BYTES {
            false => called("put", BLOB_CALL_MAX, self.objects.put(&path, bytes.into())).await.map(drop)?,
            true => self.put_in_parts(&path, bytes).await?,
        }
        metrics::counter!("sortie_blob_bytes_total", "operation" => "put").increment(length as u64);
        Ok(())
    }

    /// The bytes under a name; nothing if there are none.
    pub(crate) async fn get(&self, name: &str, within: Span) -> Result<Option<Bytes>, Trouble> {
        let path = self.path(name);
        let got = called("get", within, async {
            let found = match self.objects.get(&path).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            // What others have put there may be of any size, whatever is said of it.
            let mut parts = found.into_stream();
            let mut bytes = Vec::new();
            while let Some(part) = parts.next().await {
                bytes.extend_from_slice(&part?);
                if bytes.len() as u64 > BLOB_BYTES_MAX {
                    let source = format!("it is larger than {BLOB_BYTES_MAX} bytes").into();
                    return Err(Error::Generic { store: "blobs", source });
                }
            }
            Ok(Some(Bytes::from(bytes)))
        });
        let got = got.await?;
        let length = got.as_ref().map_or(0, Bytes::len);
        metrics::counter!("sortie_blob_bytes_total", "operation" => "get").increment(length as u64);
        Ok(got)
    }

    /// Removes what is under a name, if anything is.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Trouble> {
        let path = self.path(name);
        let removed = called("remove", BLOB_CALL_MAX, async {
            match self.objects.delete(&path).await {
                Err(Error::NotFound { .. }) => Ok(()),
                removed => removed,
            }
        });
        removed.await
    }

    /// Each part within its time. What was sent of a blob that does not become whole is taken back.
    async fn put_in_parts(&self, path: &Path, bytes: Bytes) -> Result<(), Trouble> {
        let mut upload = called("put", BLOB_CALL_MAX, self.objects.put_multipart(path)).await?;
        let sent = async {
            let mut rest = bytes;
            while !rest.is_empty() {
                let part = rest.split_to(BLOB_PART_BYTES.min(rest.len()));
                called("put_part", BLOB_CALL_MAX, upload.put_part(PutPayload::from(part))).await?;
            }
            called("put", BLOB_CALL_MAX, upload.complete()).await.map(drop)
        };
        let sent = sent.await;
        if sent.is_err() {
            let _taken_back_or_told_in_docs = called("abort", BLOB_CALL_MAX, upload.abort()).await;
        }
        sent
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}{name}", self.prefix))
    }
}

/// Makes a call, within its time.
async fn called<T>(
    operation: &'static str,
    within: Span,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Trouble> {
    let watch = Stopwatch::start();
    let ended = match tokio::time::timeout(within.to_std(), call).await {
        Ok(ended) => ended.map_err(|error| Trouble::of(&error)),
        Err(_) => Err(Trouble::Away(format!("it gave no answer within {} s", within.0 / 1000))),
    };
    let outcome = match &ended {
        Ok(_) => "ok",
        Err(Trouble::Away(_)) => "away",
        Err(Trouble::Refused(_)) => "refused",
    };
    metrics::counter!("sortie_blob_calls_total", "operation" => operation, "outcome" => outcome).increment(1);
    metrics::histogram!("sortie_blob_call_seconds", "operation" => operation).record(watch.seconds());
    ended
}
