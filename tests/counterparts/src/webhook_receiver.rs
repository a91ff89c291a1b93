//! A receiver of webhooks that judges their signatures with the reference library of Standard
//! Webhooks.

use std::io::BufRead;

use crate::python;
use crate::script::Script;

/// A receiver on a port of 127.0.0.1. It is gone when this is dropped.
#[derive(Debug)]
pub struct WebhookReceiver {
    script: Script,
}

impl WebhookReceiver {
    /// Starts one that knows this secret (`whsec_…`) and answers with these statuses one after the
    /// other, the last of them for ever.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(secret: &str, statuses: &[u16]) -> WebhookReceiver {
        let mut arguments = vec![secret.to_owned()];
        arguments.extend(statuses.iter().map(u16::to_string));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let script = Script::start(python::script(include_str!("webhook_receiver.py"), &arguments));
        let script = script.unwrap_or_else(|said| panic!("the receiver does not start:\n{said}"));
        WebhookReceiver { script }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.script.port)
    }

    /// Waits for the next call and returns what came, as one line of JSON: `id`, `path`, `verified`
    /// (true, or why not), `status` (what was answered), `type` and `body`.
    ///
    /// # Panics
    /// If the receiver has ended.
    pub fn next_call(&mut self) -> String {
        let mut line = String::new();
        self.script.stdout.read_line(&mut line).expect("the receiver speaks UTF-8");
        assert!(!line.is_empty(), "the receiver has ended");
        line
    }
}
