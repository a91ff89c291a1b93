//! Why events do not leave, in words that say what to do.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::{ConnectError, ConnectErrorKind};
use sortie_rules::limits::NATS_ANSWER_MAX;

use super::settings::{NatsError, NatsSettings};

/// Why events do not leave. Two of one kind are one trouble, however they are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// NATS is away.
    Away,
    /// NATS does not let the hub in.
    Refused,
    /// There is no stream for the events.
    NoStream,
    /// Another stream has the events.
    OtherStream,
    /// Nothing is acknowledged.
    Silent,
    /// JetStream does not take an event.
    NotTaken,
}

/// A trouble and its words.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{words}")]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    words: String,
}

impl Trouble {
    fn new(kind: Kind, words: String) -> Trouble {
        Trouble { kind, words }
    }

    /// A file that was there when the hub started is not.
    pub(super) fn of_file(error: &NatsError) -> Trouble {
        Trouble::new(Kind::Refused, error.to_string())
    }

    /// The connection is gone.
    pub(super) fn gone(settings: &NatsSettings) -> Trouble {
        Trouble::new(Kind::Away, format!("the connection to NATS at {} is gone", settings.url))
    }

    /// It was not let in.
    pub(super) fn of_connect(settings: &NatsSettings, error: &ConnectError) -> Trouble {
        let (url, why) = (&settings.url, chain(error));
        match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => Trouble::new(
                Kind::Refused,
                format!(
                    "NATS at {url} does not let the hub in ({why}); look at credentials_file, or user and \
                     password_file, of [nats]"
                ),
            ),
            ConnectErrorKind::Tls => {
                Trouble::new(Kind::Refused, format!("NATS at {url} is not believed ({why}); look at ca_file of [nats]"))
            }
            _ => Trouble::new(Kind::Away, format!("NATS at {url} cannot be reached ({why})")),
        }
    }

    /// An event was not taken.
    pub(super) fn of_publish(settings: &NatsSettings, subject: &str, error: &PublishError) -> Trouble {
        let (url, stream, why) = (&settings.url, &settings.stream, chain(error));
        match error.kind() {
            PublishErrorKind::StreamNotFound => Trouble::new(
                Kind::NoStream,
                format!(
                    "no stream of NATS takes {subject}; make it with `sortie events setup --nats {url} --stream \
                     {stream} --prefix {}`, and see that JetStream is on",
                    settings.subject_prefix
                ),
            ),
            PublishErrorKind::TimedOut => Trouble::new(
                Kind::Silent,
                format!(
                    "NATS at {url} has not acknowledged an event within {NATS_ANSWER_MAX}; may this user publish to \
                     {subject} and subscribe to _INBOX.>? The log of NATS tells"
                ),
            ),
            PublishErrorKind::BrokenPipe => Trouble::gone(settings),
            _ if code(error) == Some(ErrorCode::STREAM_NOT_MATCH) => Trouble::new(
                Kind::OtherStream,
                format!("another stream than {stream} takes {subject}; look at stream and subject_prefix of [nats]"),
            ),
            _ => Trouble::new(Kind::NotTaken, format!("JetStream does not take an event of {subject}: {why}")),
        }
    }
}

/// What JetStream answered, if it did.
fn code(error: &PublishError) -> Option<ErrorCode> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<async_nats::jetstream::Error>().map(async_nats::jetstream::Error::error_code)
}

/// An error with its causes, unless they only repeat it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes
        .map(ToString::to_string)
        .fold(error.to_string(), |all, cause| if all.contains(&cause) { all } else { format!("{all}: {cause}") })
}
