//! Follows a hub's events over NATS JetStream: prints each, and acknowledges it when it is printed.
//!
//! Make the stream and a consumer first, and set `[nats]` in the hub's settings (docs/events-nats.md):
//!
//! ```sh
//! sortie events setup --nats nats://127.0.0.1:4222 --consumer printer=task
//! cargo run --package sortie-client --features events-nats --example follow_events -- \
//!     nats://127.0.0.1:4222 SORTIE printer
//! ```
//!
//! Stopped and started again it goes on with the first event that it has not acknowledged. The line is
//! printed before the acknowledgement, so after a crash one may be printed twice: whoever must not do a
//! thing twice keeps the id of each event with what it did.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sortie_client::Entropy;
use sortie_client::events_nats::{Nats, Subscriber};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Err(error) = follow().await else { return ExitCode::SUCCESS };
    let _nobody_listens = writeln!(std::io::stderr(), "{error}");
    ExitCode::FAILURE
}

async fn follow() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(url), Some(stream), Some(consumer)) = (words.next(), words.next(), words.next()) else {
        return Err("say where NATS is, which stream and which consumer".into());
    };
    let nats = Nats { url, name: "follow_events".to_owned(), ..Nats::default() };
    let mut subscriber = Subscriber::open(&nats, &stream, &consumer, entropy()).await?;
    loop {
        let received = subscriber.next().await?;
        let event = &received.event;
        let about = event.node_name.as_deref().unwrap_or("-");
        writeln!(std::io::stdout(), "{} {} {about} {}", event.number, event.kind, received.id)?;
        // Only now: if this program had died above, the event would come again.
        if let Err(error) = received.acknowledge().await {
            writeln!(std::io::stderr(), "{error}")?;
        }
    }
}

fn entropy() -> Entropy {
    let random = SystemRandom::new();
    Entropy::new(move |bytes| random.fill(bytes).expect("the operating system's random generator answers"))
}
