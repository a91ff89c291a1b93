//! Reads a blob: what comes is what was kept, byte for byte, or nothing.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use sortie_rules::blobs::name;
use sortie_rules::limits::BLOB_WAITED_MAX;
use sortie_rules::time::Span;
use sortie_store::blobs::BlobRow;
use sortie_wire::problem::ProblemCode;

use super::belonging::{Unfit, settle};
use super::place::Place;
use super::trouble::Trouble;
use crate::app::App;
use crate::fault::{Fault, refuse, refuse_for};

/// When somebody may ask again for what is away.
const AGAIN: Span = Span::seconds(10);

/// A blob's bytes, for somebody who waits for them.
pub(crate) async fn fetch(app: &App, row: &BlobRow) -> Result<Bytes, Fault> {
    let away = |why: &str| {
        let detail = format!("This lies in the hub's blobs, which cannot be read now ({why}). Try again later.");
        refuse_for(AGAIN, ProblemCode::BlobsAway, detail)
    };
    let Some(place) = app.blobs.place() else { return Err(away("this hub has no place for them")) };
    match read(place, row).await {
        Ok(Ok(bytes)) => {
            app.blobs.note(Ok(()));
            Ok(bytes)
        }
        Ok(Err(damage)) => {
            // A disk that is not mounted any more has lost nothing.
            settle(&app.blobs, place, &app.store, &app.entropy, false).await.map_err(|unfit| match unfit {
                Unfit::Store(error) => Fault::Store(error),
                Unfit::Trouble(_) | Unfit::Wrong(_) => away("their place is not there"),
            })?;
            tracing::error!(blob = %row.id, place = place.told(), damage, "A blob is lost");
            let detail = format!("This lay in a blob of the hub, and {damage}. The hub's log says which.");
            Err(refuse(ProblemCode::BlobLost, detail))
        }
        Err(trouble) => {
            app.blobs.note(Err(&trouble));
            // What the place says is for the operators of the hub, who find it in the log.
            Err(away(match trouble {
                Trouble::Away(_) => "their place does not answer",
                Trouble::Refused(_) => "their place refuses the hub",
            }))
        }
    }
}

/// A blob's bytes; or in words that they are not there any more, or not what they were.
pub(crate) async fn read(place: &Place, row: &BlobRow) -> Result<Result<Bytes, &'static str>, Trouble> {
    let Some(bytes) = place.get(&name(row.org, &row.sha256, row.id), BLOB_WAITED_MAX).await? else {
        return Ok(Err("it is not in its place any more"));
    };
    let is_whole = bytes.len() as u64 == row.bytes && hex::encode(digest(&SHA256, &bytes).as_ref()) == row.sha256;
    Ok(if is_whole { Ok(bytes) } else { Err("it is not what it was") })
}
