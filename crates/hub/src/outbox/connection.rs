//! The connection to NATS. It is given up at the first thing that goes wrong and made anew at the next
//! turn, so that nothing is left in a buffer to be sent when nobody expects it any more.

use async_nats::connection::State;
use async_nats::jetstream::{Context, ContextBuilder};
use async_nats::{ConnectOptions, Event};
use sortie_rules::limits::NATS_ANSWER_MAX;
use sortie_rules::time::Span;
use tokio_util::sync::CancellationToken;

use super::settings::{NatsSettings, read};
use super::trouble::Trouble;

/// How often NATS is asked whether it is there.
const PING_EVERY: Span = Span::seconds(20);

/// A connection over which events can be sent.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) jetstream: Context,
    /// Cancelled when it breaks: what was not acknowledged by then never will be.
    pub(super) gone: CancellationToken,
}

impl Connection {
    /// Connects. The files of credentials are read each time, since somebody may have replaced them.
    pub(super) async fn open(settings: &NatsSettings) -> Result<Connection, Trouble> {
        let of_file = |error| Trouble::of_file(&error);
        let gone = CancellationToken::new();
        let breaks = gone.clone();
        let mut options = ConnectOptions::new()
            .event_callback(move |event| {
                if event == Event::Disconnected {
                    breaks.cancel();
                }
                std::future::ready(())
            })
            .name("sortie hub")
            .connection_timeout(NATS_ANSWER_MAX.to_std())
            // A line that is dead without a word is noticed after two of these.
            .ping_interval(PING_EVERY.to_std())
            .require_tls(settings.urls().iter().any(|url| url.starts_with("tls://")));
        if let Some(file) = &settings.credentials_file {
            let text = read("credentials_file", file).map_err(of_file)?;
            options = options.credentials(&text).map_err(|error| {
                Trouble::of_file(&super::NatsError {
                    key: "credentials_file",
                    why: format!("{} holds no credentials: {error}", file.display()),
                })
            })?;
        }
        if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
            let password = read("password_file", file).map_err(of_file)?;
            let password = password.trim_end_matches(['\n', '\r']).to_owned();
            options = options.user_and_password(user.clone(), password);
        }
        if let Some(file) = &settings.ca_file {
            read("ca_file", file).map_err(of_file)?;
            options = options.add_root_certificates(file.clone());
        }
        let client = options.connect(settings.urls()).await.map_err(|error| Trouble::of_connect(settings, &error))?;
        let jetstream = ContextBuilder::new()
            .timeout(NATS_ANSWER_MAX.to_std())
            // Acknowledgements that nobody waits for any more keep their places for a while.
            .max_ack_inflight(2 * settings.in_flight_max as usize)
            .backpressure_on_inflight(true)
            .build(client);
        Ok(Connection { jetstream, gone })
    }

    /// Whether it still stands, as far as is known.
    pub(super) fn stands(&self) -> bool {
        !self.gone.is_cancelled() && self.jetstream.client().connection_state() == State::Connected
    }
}
