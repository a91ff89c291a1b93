//! Sends messages in their order.
//!
//! They go in waves: many are under way at once, but of one subject only one, and the next wave begins
//! when all of the last one are acknowledged. Otherwise one that is lost, while the next on its subject
//! arrives, would be overtaken by it for good.

use sortie_rules::outbox::next_wave;

use super::connection::Connection;
use super::message::Message;
use super::settings::NatsSettings;
use super::trouble::Trouble;

/// Sends them. Returns how many of the first ones are acknowledged, and why not all.
pub(super) async fn send(
    connection: &Connection,
    settings: &NatsSettings,
    messages: &[Message],
) -> (usize, Option<Trouble>) {
    let mut acknowledged = 0;
    while acknowledged < messages.len() {
        let rest = &messages[acknowledged..];
        let wave = next_wave(rest.iter().map(|message| message.subject.as_str()), settings.in_flight_max as usize);
        let (some, trouble) = send_wave(connection, settings, &rest[..wave]).await;
        acknowledged += some;
        if trouble.is_some() {
            return (acknowledged, trouble);
        }
    }
    (acknowledged, None)
}

async fn send_wave(connection: &Connection, settings: &NatsSettings, wave: &[Message]) -> (usize, Option<Trouble>) {
    let mut awaited = Vec::with_capacity(wave.len());
    let mut unsent = None;
    for message in wave {
        let publish = message.publish(&settings.stream);
        match connection.jetstream.send_publish(message.subject.clone(), publish).await {
            Ok(acknowledgement) => awaited.push(acknowledgement),
            Err(error) => {
                unsent = Some(Trouble::of_publish(settings, &message.subject, &error));
                break;
            }
        }
    }
    let mut acknowledged = 0;
    for (acknowledgement, message) in awaited.into_iter().zip(wave) {
        let answer = tokio::select! {
            biased;
            answer = acknowledgement.into_future() => answer,
            () = connection.gone.cancelled() => return (acknowledged, Some(Trouble::gone(settings))),
        };
        match answer {
            Ok(_) => acknowledged += 1,
            Err(error) => return (acknowledged, Some(Trouble::of_publish(settings, &message.subject, &error))),
        }
    }
    (acknowledged, unsent)
}
