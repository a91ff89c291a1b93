//! What the long-lived roles tell of themselves: a log on stderr, and traces where they are wanted.
//!
//! Every log line goes through the one redactor. `SORTIE_LOG` says how much is told, in the words of
//! tracing's filters: `debug`, or `info,sortie_hub=trace`. Traces leave over OTLP from a thread of
//! their own, with a blocking client on purpose (the asynchronous one inside the SDK's thread exports
//! nothing); so both the start and the stop of telemetry belong outside the runtime.

use std::io::{self, IsTerminal as _, Write};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sortie_rules::redaction::redact;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::context::Env;
use crate::exit::{Failure, chain};

/// What is told unless `SORTIE_LOG` says otherwise. The pool of connections would say of each by itself that the
/// database has gone, and the library of NATS tells of each connection in its own words; the hub says it once.
const USUAL: &str = "info,deadpool.postgres=error,async_nats=off";

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// Telemetry that runs. Stop it before the process ends, or the last traces are lost.
#[derive(Debug)]
pub(crate) struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Starts it. `role` is the name under which traces are kept, such as `sortie-hub`.
pub(crate) fn start(
    role: &'static str,
    format: LogFormat,
    otlp_endpoint: Option<&str>,
    env: &Env,
) -> Result<Telemetry, Failure> {
    let wanted = env.get("SORTIE_LOG").unwrap_or_else(|| USUAL.to_owned());
    let filter = EnvFilter::try_new(&wanted)
        .map_err(|error| Failure::usage(format!("SORTIE_LOG=`{wanted}` cannot be used: {error}")))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Redacted(io::stderr()));
    let log = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Text => {
            let colour = io::stderr().is_terminal() && env.get("NO_COLOR").is_none();
            lines.with_ansi(colour).with_target(false).boxed()
        }
    };
    let traces = otlp_endpoint.map(|endpoint| provider(role, endpoint)).transpose()?;
    let spans = traces.as_ref().map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer(role)));
    let subscriber = tracing_subscriber::registry().with(filter).with(log).with(spans);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| Failure::other("the log was started twice in one process"))?;
    Ok(Telemetry { traces })
}

fn provider(role: &'static str, endpoint: &str) -> Result<SdkTracerProvider, Failure> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| Failure::usage(format!("otlp_endpoint `{endpoint}` cannot be used: {}", chain(&error))))?;
    let resource = Resource::builder().with_service_name(role).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Telemetry {
    /// Sends what has not been sent yet. Call it outside the runtime.
    pub(crate) fn stop(self) {
        if let Some(Err(error)) = self.traces.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// A writer that masks secrets. The log's formatter hands it one whole line at a time.
struct Redacted<W>(W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_secret_reaches_the_log_in_either_format() {
        for json in [false, true] {
            let buffer = Shared::default();
            let writer = buffer.clone();
            let lines = tracing_subscriber::fmt::layer().with_writer(move || Redacted(writer.clone()));
            let log = if json { lines.json().boxed() } else { lines.with_ansi(false).boxed() };
            tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
                tracing::info!(token = "sortie_tok_AbCdEf0123456789", "Authorization: Bearer sesame");
            });
            let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("sortie_tok_[redacted]") && !text.contains("sesame"), "{text}");
            assert!(!json || serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        }
    }
}
