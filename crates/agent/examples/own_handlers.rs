//! An agent in a program of your own, with a handler in Rust.
//!
//! Enrol the machine first, as ever (`sortie agent enroll --data DIR --invite …`), let the site's
//! `DIR/policy.toml` allow the type (`allow = ["words.count"]`), and give the hub a pack with it:
//! docs/recipes/write-a-handler-in-rust.md goes through it step by step. Then:
//!
//! ```sh
//! cargo run --package sortie-agent --example own_handlers -- DIR
//! ```

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use sortie_agent::{Agent, Clock, Entropy, Failure, Output, Settings, Work};
use sortie_rules::time::Millis;

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Counted {
    words: usize,
}

/// Does the work once. It may be polled by any thread, and must not block one for long.
async fn count_words(work: Work) -> Result<Output, Failure> {
    let Text { text } = work.read()?;
    let all: Vec<&str> = text.split_whitespace().collect();
    for (done, word) in all.iter().enumerate() {
        // Long work tells how far it is, and ends when it is told to.
        if work.stop.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        work.log.progress(u8::try_from(100 * done / all.len()).ok(), word);
        work.log.write(format!("{word}\n").as_bytes());
    }
    Output::of(&Counted { words: all.len() })
}

fn main() -> Result<(), Box<dyn Error>> {
    // If the policy names programs, they are launched through this one.
    sortie_agent::launch_if_asked();
    let data = std::env::args().nth(1).ok_or("say which data folder")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let agent = Agent::builder(Settings::for_data(&data), clock(), entropy());
        let agent = agent.handler("words.count", count_words).build()?;
        let mut asked_to_stop = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        agent.run(async move { asked_to_stop.recv().await.unwrap_or(()) }).await?;
        Ok(())
    })
}

#[expect(clippy::disallowed_methods, reason = "the program chooses its clock here")]
fn clock() -> Clock {
    Clock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

fn entropy() -> Entropy {
    let source = SystemRandom::new();
    Entropy::new(move |buffer| source.fill(buffer).expect("the operating system's random generator answers"))
}
