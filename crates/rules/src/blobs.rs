//! Blobs: under which name one lies in its place, and whether a place is that of a database.
//!
//! A place bears a mark, which the database knows. So a hub notices that a disk is not mounted, that a bucket is
//! another's, or that its folder is not the one that the other hubs have, before it looks for a blob in vain.

use crate::ids::{BlobId, OrgId};

/// The mark's own name in its place.
pub const MARK: &str = "sortie-blobs.json";

/// Where a blob lies. It begins with the org, so that nothing is shared between two; the hash says what is in it; the
/// id makes a name that is never used again, so that a removal which comes late removes nothing that was put later.
pub fn name(org: OrgId, sha256: &str, id: BlobId) -> String {
    let first = sha256.get(..2).unwrap_or(sha256);
    format!("{org}/{first}/{sha256}-{id}")
}

/// What a database knows of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known<'k> {
    /// The id that it bears.
    pub id: &'k str,
    /// The mark has been there: it is missed if it is not.
    pub marked: bool,
}

/// What is to be done about a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is the right one.
    Right,
    /// Neither has the database a place nor the place a database; before the first blob they become each other's.
    Free,
    /// The mark is to be set, which was decided before.
    Mark,
    /// It takes the place of the one that the database knew, because the operator has said so.
    TakeOver,
}

/// Why a place must not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongPlace {
    /// The mark is missing.
    #[error(
        "the blobs of this hub lie in another place, which bears the id {known}, and this one bears none. Is the \
         folder not mounted, or another one than that of the other hubs? Bring the blobs here with their file \
         `sortie-blobs.json`, or name their place in `blobs.url`. If they are lost: set `blobs.in_place_of = \
         \"{known}\"`, and the logs that were in them stay unreadable"
    )]
    Unmarked {
        /// The id of the right one.
        known: String,
    },
    /// It is another database's.
    #[error(
        "the place bears the id {there} and belongs to the database of another hub (that of this one bears {}). Give \
         each its own: another folder, bucket or prefix in `blobs.url`",
        .known.as_deref().unwrap_or("none yet")
    )]
    Others {
        /// Its id.
        there: String,
        /// The id of the right one, if there is one.
        known: Option<String>,
    },
}

/// Judges a place by the mark that is `there` and what the database has `known`. `in_place_of` is the id of the place
/// that the operator has given up.
pub fn judge(known: Option<Known<'_>>, there: Option<&str>, in_place_of: Option<&str>) -> Result<Verdict, WrongPlace> {
    match (known, there) {
        (None, None) => Ok(Verdict::Free),
        (Some(known), Some(there)) if known.id == there => {
            Ok(if known.marked { Verdict::Right } else { Verdict::Mark })
        }
        (Some(Known { marked: false, .. }), None) => Ok(Verdict::Mark),
        (Some(known), None) if in_place_of == Some(known.id) => Ok(Verdict::TakeOver),
        (Some(known), None) => Err(WrongPlace::Unmarked { known: known.id.to_owned() }),
        (known, Some(there)) => {
            Err(WrongPlace::Others { there: there.to_owned(), known: known.map(|known| known.id.to_owned()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DEFAULT_ORG;
    use uuid::Uuid;

    #[test]
    fn a_place_is_used_only_by_the_database_that_it_belongs_to() {
        let known = |id, marked| Some(Known { id, marked });
        assert_eq!(judge(None, None, None), Ok(Verdict::Free));
        assert_eq!(judge(known("a", true), Some("a"), None), Ok(Verdict::Right));
        assert_eq!(judge(known("a", false), Some("a"), None), Ok(Verdict::Mark));
        assert_eq!(judge(known("a", false), None, None), Ok(Verdict::Mark));
        assert_eq!(judge(known("a", true), None, Some("a")), Ok(Verdict::TakeOver));
        for given_up in [None, Some("b")] {
            let unmarked = judge(known("a", true), None, given_up);
            assert_eq!(unmarked, Err(WrongPlace::Unmarked { known: "a".into() }));
        }
        // Whoever gives a place up does not take another's for it.
        for (known, given_up) in [(None, None), (known("a", true), None), (known("a", false), Some("a"))] {
            assert!(matches!(judge(known, Some("b"), given_up), Err(WrongPlace::Others { .. })));
        }
    }

    #[test]
    fn equal_blobs_of_two_orgs_and_two_times_lie_in_different_places() {
        let id = |number| BlobId::from_uuid(Uuid::from_u128(number));
        let org = OrgId::from_uuid(Uuid::from_u128(9));
        let names = [name(DEFAULT_ORG, "abcd", id(1)), name(DEFAULT_ORG, "abcd", id(2)), name(org, "abcd", id(1))];
        assert!(names[0].starts_with(&format!("{DEFAULT_ORG}/ab/abcd-")), "{}", names[0]);
        assert!(names[0] != names[1] && names[0] != names[2]);
    }
}
