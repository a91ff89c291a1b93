//! Puts the logs of ended tasks away: out of the database, each as a blob. The blob is in its place before the
//! database says so, and the pieces are deleted in the transaction that does; a crash before leaves them, and at most
//! a blob that nobody refers to.

use bytes::Bytes;
use futures_util::future::join_all;
use sortie_rules::limits::{LOGS_ARCHIVED, LOGS_ARCHIVED_AT_ONCE, TASK_LOG_BYTES_MAX};
use sortie_rules::time::Span;
use sortie_store::logs::{self, Archived, ToArchive};
use sortie_store::{StoreError, Tx, blobs};

use super::pack::pack;
use crate::app::App;
use crate::blobs::{keep, take_back};
use crate::fault::Fault;

/// Most pieces read at once.
const PIECES: u32 = 200;

/// Puts away what has waited long enough. Returns how many logs.
pub(crate) async fn archive(app: &App) -> Result<u64, Fault> {
    let before = app.clock.now() - Span::hours(app.settings.retention.logs_in_store_h.into());
    let waiting =
        app.store.read(move |tx| Box::pin(async move { logs::to_archive(tx, before, LOGS_ARCHIVED).await })).await?;
    let mut archived = 0;
    for together in waiting.chunks(LOGS_ARCHIVED_AT_ONCE) {
        if app.stop.is_cancelled() {
            break;
        }
        for done in join_all(together.iter().map(|run| archive_one(app, *run))).await {
            archived += u64::from(done?);
        }
    }
    metrics::counter!("sortie_logs_archived_total").increment(archived);
    Ok(archived)
}

/// Puts one away. `false` if another hub did, or the blob is on its way out: the next turn looks again.
async fn archive_one(app: &App, run: ToArchive) -> Result<bool, Fault> {
    let ToArchive { org, task, run } = run;
    let log = app.store.read(move |tx| Box::pin(async move { whole(tx, task, run).await })).await?;
    let length = log.len() as u64;
    if length == 0 {
        return Ok(false);
    }
    let packed = tokio::task::spawn_blocking(move || pack(&log)).await;
    let packed = packed.map_err(|error| Fault::Broken(error.to_string()))?;
    let packed = packed.map_err(|error| Fault::Broken(error.to_string()))?;
    let blob = keep(app, org, Bytes::from(packed)).await?;
    let (now, id) = (app.clock.now(), blob.id);
    let noted = app.store.write(move |tx| {
        Box::pin(async move {
            if !blobs::set_kept(tx, id, now).await? {
                return Ok(None);
            }
            logs::set_archived(tx, task, run, Archived { length, blob: id }).await.map(Some)
        })
    });
    let archived = noted.await?;
    if archived.is_none() {
        take_back(app, &blob).await;
    }
    Ok(archived.unwrap_or(false))
}

/// All pieces of a log.
async fn whole(tx: &mut Tx, task: sortie_rules::ids::TaskId, run: u32) -> Result<Vec<u8>, StoreError> {
    let mut log: Vec<u8> = Vec::new();
    loop {
        let pieces = logs::read(tx, task, run, log.len() as u64, PIECES).await?;
        let before = log.len();
        for piece in pieces {
            // Another hub may have put it away in between; what is left is not its beginning then.
            if piece.first != log.len() as u64 {
                return Ok(log);
            }
            log.extend_from_slice(&piece.bytes);
        }
        if log.len() == before || log.len() as u64 >= TASK_LOG_BYTES_MAX {
            return Ok(log);
        }
    }
}
