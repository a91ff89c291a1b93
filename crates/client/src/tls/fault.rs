//! Why there is no secure connection.

use super::presented::Presented;

/// Why a peer is not believed, or does not believe us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// None of the presented certificates has the fingerprint that was expected.
    #[error(
        "the certificate presented there (SHA-256 {}, issued by `{}`) does not come from the one with SHA-256 \
         {expected}; either this is another hub or a proxy on the way opens the connection. If that is a proxy of \
         yours, name its certificate authority in `ca_file`",
        .presented.fingerprint, .presented.issuer
    )]
    OtherFingerprint {
        /// The fingerprint that was expected, in hex.
        expected: String,
        /// What was presented.
        presented: Box<Presented>,
    },
    /// Nobody who is believed vouches for the certificate.
    #[error(
        "nobody who is trusted here vouches for the certificate presented there, which was issued by `{}`; \
         if that is a proxy of yours, name its certificate authority in `ca_file`",
        .presented.issuer
    )]
    UnknownIssuer {
        /// What was presented.
        presented: Box<Presented>,
    },
    /// It is not valid any more, by our clock.
    #[error(
        "the certificate presented there (of `{}`) has expired, if the clock of this machine is right",
        .presented.subject
    )]
    Expired {
        /// What was presented.
        presented: Box<Presented>,
    },
    /// It is not valid yet, by our clock.
    #[error(
        "the certificate presented there (of `{}`) is not valid yet; is the clock of this machine right?",
        .presented.subject
    )]
    NotYetValid {
        /// What was presented.
        presented: Box<Presented>,
    },
    /// It is good, and another machine's.
    #[error("the certificate presented there does not name `{expected}`")]
    OtherName {
        /// The name that was looked for.
        expected: String,
        /// What was presented.
        presented: Box<Presented>,
    },
    /// The other side ended the handshake: most often because it does not take our certificate.
    #[error("the other side refused the connection ({alert})")]
    Refused {
        /// The TLS alert that it gave as its reason.
        alert: String,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// A refusal of the verifier's as people read it.
pub(super) fn in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.to_string(),
        other => other.to_string(),
    }
}

impl TlsFault {
    /// Whether only the dates are wrong, so that asking the hub for its signed time may help.
    pub fn is_about_dates(&self) -> bool {
        matches!(self, TlsFault::Expired { .. } | TlsFault::NotYetValid { .. })
    }

    /// Whether the certificate comes from an authority that is not believed here. If it is the hub's, the
    /// chain of its key sets leads there.
    pub fn is_about_the_issuer(&self) -> bool {
        matches!(self, TlsFault::UnknownIssuer { .. } | TlsFault::OtherFingerprint { .. })
    }

    /// What is wrong, without what an agent's settings could do about it: for people's commands, which have
    /// others.
    pub fn fact(&self) -> String {
        match self {
            TlsFault::OtherFingerprint { expected, presented } => format!(
                "the certificate presented there (SHA-256 {}, issued by `{}`) does not come from the one with SHA-256 \
                 {expected}",
                presented.fingerprint, presented.issuer
            ),
            TlsFault::UnknownIssuer { presented } => format!(
                "nobody who is trusted here vouches for the certificate presented there, which was issued by `{}`",
                presented.issuer
            ),
            other => other.to_string(),
        }
    }

    /// What was presented, if something readable was.
    pub fn presented(&self) -> Option<&Presented> {
        match self {
            TlsFault::OtherFingerprint { presented, .. }
            | TlsFault::UnknownIssuer { presented }
            | TlsFault::Expired { presented }
            | TlsFault::NotYetValid { presented }
            | TlsFault::OtherName { presented, .. } => Some(presented),
            TlsFault::Refused { .. } | TlsFault::Other(_) => None,
        }
    }
}
