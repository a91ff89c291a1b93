//! A private mail server that keeps what it gets: aiosmtpd.

use std::path::Path;

use tempfile::TempDir;

use crate::python;
use crate::script::Script;

/// What a mail server demands.
#[derive(Debug, Clone, Copy, Default)]
pub struct SmtpPlan<'a> {
    /// The port to listen on; a free one if absent.
    pub port: Option<u16>,
    /// Larger mails are refused for good, in bytes.
    pub size_max: Option<usize>,
    /// Certificate and key (PEM files): STARTTLS is offered, and demanded.
    pub tls: Option<(&'a Path, &'a Path)>,
    /// The password of the user `sortie`, who alone may send.
    pub password: Option<&'a str>,
}

/// A mail server on a port of 127.0.0.1. It is gone when this is dropped.
#[derive(Debug)]
pub struct SmtpSink {
    mails: TempDir,
    script: Script,
}

impl SmtpSink {
    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(plan: SmtpPlan<'_>) -> SmtpSink {
        let mails = tempfile::Builder::new().prefix("sortie-mails-").tempdir().expect("a folder for mails");
        let folder = mails.path().join("maildir").display().to_string();
        let text = |path: Option<&Path>| path.map(|path| path.display().to_string()).unwrap_or_default();
        let (certificate, key) = (text(plan.tls.map(|tls| tls.0)), text(plan.tls.map(|tls| tls.1)));
        let size_max = plan.size_max.unwrap_or(32 << 20).to_string();
        // Port 0 is one that the system picks, and that nobody can take in between.
        let port = plan.port.unwrap_or(0).to_string();
        let arguments = [&port, &folder, &size_max, &certificate, &key, plan.password.unwrap_or_default()];
        let script = Script::start(python::script(include_str!("smtp_sink.py"), &arguments));
        let script = script.unwrap_or_else(|said| panic!("the mail server does not start:\n{said}"));
        SmtpSink { mails, script }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.script.port
    }

    /// How many mails there are so far.
    pub fn count(&self) -> usize {
        std::fs::read_dir(self.mails.path().join("maildir/new")).map_or(0, Iterator::count)
    }

    /// All mails so far, as they came over the line, in no order.
    ///
    /// # Panics
    /// If they cannot be read.
    pub fn mails(&self) -> Vec<String> {
        let new = std::fs::read_dir(self.mails.path().join("maildir/new")).into_iter().flatten().flatten();
        new.map(|entry| String::from_utf8_lossy(&std::fs::read(entry.path()).expect("a mail")).into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_mail_that_is_sent_is_kept() {
        let sink = SmtpSink::start(SmtpPlan::default());
        let mut line = TcpStream::connect(("127.0.0.1", sink.port())).unwrap();
        let mut answers = BufReader::new(line.try_clone().unwrap()).lines();
        line.write_all(
            b"HELO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n",
        )
        .unwrap();
        assert!(answers.any(|answer| answer.unwrap().starts_with("221")));
        let mails = sink.mails();
        assert!(mails.len() == 1 && mails[0].contains("hello"), "{mails:?}");
    }
}
