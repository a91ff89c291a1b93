//! What can be wrong with the place of blobs, in words that name no secret.

use std::{error, io};

use object_store::Error;
use rustls::CertificateError;
use sortie_rules::blobs::WrongPlace;
use sortie_store::StoreError;

/// Most of what a place says of itself, in characters.
const WORDS_MAX: usize = 200;

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// It may succeed by itself later.
    #[error("{0}")]
    Away(String),
    /// Somebody has to do something.
    #[error("{0}")]
    Refused(String),
}

impl Trouble {
    /// What an error means.
    pub(super) fn of(error: &Error) -> Trouble {
        let words = words(error);
        match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                Trouble::Refused(format!("it lets this hub not in ({words})"))
            }
            Error::NotFound { .. } => Trouble::Refused(format!("there is no such bucket or folder ({words})")),
            _ if is_forbidden(error) => Trouble::Refused(format!("it lets this hub not in ({words})")),
            _ => certificate(error).map_or(Trouble::Away(words), Trouble::of_certificate),
        }
    }

    /// What is wrong with the certificate of a store.
    fn of_certificate(why: &CertificateError) -> Trouble {
        match why {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Trouble::Refused(format!(
                    "its certificate is for another name ({why}); name the store in `blobs.endpoint` as its \
                     certificate does"
                ))
            }
            // Others mend that, and a hub need not wait for them.
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                Trouble::Away(format!("its certificate does not hold at this time ({why})"))
            }
            _ => Trouble::Refused(format!(
                "its certificate is not believed ({why}); if it is of an authority of your own, name a file with that \
                 authority's certificate (PEM) in `blobs.ca_file`"
            )),
        }
    }
}

/// Why a hub does not start with its place of blobs.
#[derive(Debug, thiserror::Error)]
pub enum BlobsError {
    /// A file that a setting names cannot be used.
    #[error("setting `blobs.{key}`: {why}")]
    Setting {
        /// Which.
        key: &'static str,
        /// Why not.
        why: String,
    },
    /// The place cannot be used.
    #[error(
        "blobs cannot be kept in {place}: {why}. The hub must be allowed to write, read and delete there; \
         docs/blobs.md says what to set up, and `blobs.url = \"none\"` does without"
    )]
    Unusable {
        /// Where.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// It is not this database's.
    #[error("{place}: {why}")]
    Wrong {
        /// Where.
        place: String,
        /// Why.
        why: WrongPlace,
    },
    /// Another hub has the folder for itself.
    #[error(
        "another hub on this database keeps its blobs in a folder of its own, so each of both would see half of them. \
         Keep them in an S3 store (`blobs.url = \"s3://bucket/prefix\"`), or in a folder that all hubs have, by a \
         network file system, with `blobs.shared_folder = true` at each; docs/blobs.md says how to move what is there"
    )]
    SeveralHubs,
    /// There are blobs and no place.
    #[error(
        "the database knows of blobs, and this hub has no place for them: name in `blobs.url` where they are, as the \
         other hubs do, or as it was before the database moved (there it was `file://` and the folder `blobs` in the \
         data folder, if nothing was set)"
    )]
    Nowhere,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error and its causes, from the outermost on.
fn causes(error: &Error) -> impl Iterator<Item = &(dyn error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn error::Error + 'static)), |error| error.source())
}

/// What was said, without what belongs to nobody: an S3 store's code, or what the system said.
fn words(error: &Error) -> String {
    let said: Vec<String> = causes(error).map(ToString::to_string).collect();
    let all = said.join(" ");
    if let Some(code) = all.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")) {
        return code.0.chars().take(WORDS_MAX).collect();
    }
    said.last().map_or("", String::as_str).chars().take(WORDS_MAX).collect()
}

fn is_forbidden(error: &Error) -> bool {
    let mut systems = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    systems.any(|system| system.kind() == io::ErrorKind::PermissionDenied)
}

/// What is wrong with the other side's certificate, if that is what went wrong.
fn certificate(error: &Error) -> Option<&CertificateError> {
    causes(error).find_map(|cause| match held(cause).downcast_ref()? {
        rustls::Error::InvalidCertificate(why) => Some(why),
        _ => None,
    })
}

/// What an error of the system holds, which is not among its causes; else the error itself.
fn held<'e>(mut error: &'e (dyn error::Error + 'static)) -> &'e (dyn error::Error + 'static) {
    while let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        error = inner;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn of_what_a_store_answers_only_its_code_is_told() {
        let answer = "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>AWS4 key</StringToSign></Error>";
        let denied = Error::PermissionDenied { path: "p".into(), source: answer.into() };
        assert_eq!(Trouble::of(&denied), Trouble::Refused("it lets this hub not in (SignatureDoesNotMatch)".into()));
        assert_eq!(Trouble::of(&generic("connection refused")), Trouble::Away("connection refused".into()));
        let forbidden = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let forbidden = Error::Generic { store: "LocalFileSystem", source: Box::new(forbidden) };
        assert!(matches!(Trouble::of(&forbidden), Trouble::Refused(_)));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_with_the_setting_that_mends_it() {
        let told = |why: CertificateError| {
            let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why));
            Trouble::of(&Error::Generic { store: "S3", source: Box::new(io::Error::other(inner)) })
        };
        let refused = |trouble: Trouble, setting: &str| match trouble {
            Trouble::Refused(words) => assert!(words.contains(setting), "{words}"),
            Trouble::Away(words) => panic!("{words}"),
        };
        refused(told(CertificateError::UnknownIssuer), "blobs.ca_file");
        refused(told(CertificateError::NotValidForName), "blobs.endpoint");
        assert!(matches!(told(CertificateError::Expired), Trouble::Away(_)));
    }
}
