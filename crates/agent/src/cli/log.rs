//! Where the agent's log goes: to standard error, every line through the redactor.

use std::io::{self, Write};

use sortie_rules::redaction::redact;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::settings::{LogFormat, LogLevel, Settings};

/// Sets up the log of this process. If it has one already, that one stays.
pub(super) fn start(settings: &Settings) {
    let level = match settings.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(Redacted);
    let _one_is_there_already = match settings.log_format {
        LogFormat::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Standard error, behind the redactor.
#[derive(Debug, Clone, Copy)]
struct Redacted;

impl<'w> MakeWriter<'w> for Redacted {
    type Writer = Redacted;

    fn make_writer(&'w self) -> Redacted {
        Redacted
    }
}

impl Write for Redacted {
    /// A log line comes whole, in one write.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().lock().write_all(redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
