//! Blobs in backups: those of a folder go into the backup and come back with it; those of an S3 store stay there, and
//! the backup says so.

use std::io::Write;

use bytes::Bytes;
use sortie_rules::blobs::{MARK, name};
use sortie_rules::ids::BlobId;
use sortie_rules::limits::BLOB_CALL_MAX;
use sortie_store::Location;
use sortie_store::whole::Source;

use super::archive::{Verified, Writer};
use super::fault::UpkeepError;
use super::manifest::BlobsRecord;
use crate::blobs::{BlobsError, MARKED, PLACE, Place, Trouble, own_mark, read};
use crate::settings::Settings;

/// What stands before the names of blobs in a backup.
const MEMBER: &str = "blobs/";

/// Takes along what is in a folder, after the database was read: what that knew is still there.
pub(super) async fn take_along(
    settings: &Settings,
    source: &mut Source,
    writer: &mut Writer<impl Write>,
) -> Result<Option<BlobsRecord>, UpkeepError> {
    let mut some = source.blobs(BlobId::from_uuid(uuid::Uuid::nil())).await?;
    if some.is_empty() {
        return Ok(None);
    }
    let place = place_of(settings)?;
    let included = place.is_folder();
    let mut record = BlobsRecord { blobs: 0, bytes: 0, place: place.told().to_owned(), included, lost: 0 };
    let (id, marked) = (source.remembers(PLACE).await?, source.remembers(MARKED).await?);
    if let (true, Some(mark)) = (included, own_mark(id.as_deref(), marked.as_deref())) {
        writer.add(&format!("{MEMBER}{MARK}"), &mark)?;
    }
    while let Some(last) = some.last().map(|row| row.id) {
        for row in &some {
            if included {
                match read(&place, row).await.map_err(|trouble| away(&place, &trouble))? {
                    Ok(bytes) => writer.add(&format!("{MEMBER}{}", name(row.org, &row.sha256, row.id)), &bytes)?,
                    Err(_) => {
                        record.lost += 1;
                        continue;
                    }
                }
            }
            record.blobs += 1;
            record.bytes += row.bytes;
        }
        some = source.blobs(last).await?;
    }
    Ok(Some(record))
}

/// Puts what was taken along into the place that the settings name. Doing it twice equals doing it once.
pub(super) async fn put_back(settings: &Settings, backup: &mut Verified) -> Result<(), UpkeepError> {
    let members = backup.manifest.members.iter().enumerate();
    let blobs: Vec<(usize, String)> =
        members.filter_map(|(index, member)| Some((index, member.name.strip_prefix(MEMBER)?.to_owned()))).collect();
    if blobs.is_empty() {
        return Ok(());
    }
    let place = place_of(settings)?;
    let there = place.get(MARK, BLOB_CALL_MAX).await.map_err(|trouble| away(&place, &trouble))?;
    for (index, name) in blobs {
        if !is_plain(&name) {
            return Err(UpkeepError::Other(format!("the backup names a blob `{name}`, which cannot be one")));
        }
        let bytes = Bytes::from(backup.read(index)?);
        if name == MARK && there.as_ref().is_some_and(|there| *there != bytes) {
            let what = "holds the blobs of another hub; name another place in `blobs.url`";
            return Err(UpkeepError::Other(format!("{} {what}", place.told())));
        }
        place.put(&name, bytes).await.map_err(|trouble| away(&place, &trouble))?;
    }
    Ok(())
}

fn place_of(settings: &Settings) -> Result<Place, UpkeepError> {
    let with_server = matches!(settings.location(), Location::Postgres(_));
    let place = Place::of(&settings.blobs, &settings.data, with_server);
    let place = place.map_err(|error| UpkeepError::Other(error.to_string()))?;
    place.ok_or_else(|| UpkeepError::Other(BlobsError::Nowhere.to_string()))
}

fn away(place: &Place, trouble: &Trouble) -> UpkeepError {
    UpkeepError::Other(format!("the blobs in {} cannot be reached: {trouble}", place.told()))
}

/// Whether it is a name that a blob can have: nothing leads out of the place.
fn is_plain(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    name.split('/').all(|word| !word.is_empty() && !word.starts_with('.') && word.chars().all(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_place() {
        for name in [MARK, "0198-1/ab/abcd-0198"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".hidden", "a/ b"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
