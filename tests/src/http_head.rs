//! Reads the head of an HTTP request, for counterparts that speak only as much HTTP as a story needs.

use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;

/// The request line and the headers as they came.
#[derive(Debug)]
pub(crate) struct Head(String);

impl Head {
    /// Reads up to the empty line; `None` if the connection ends before.
    pub(crate) async fn read(stream: &mut BufReader<TcpStream>) -> Option<Head> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.ok()?);
        }
        String::from_utf8(bytes).ok().map(Head)
    }

    /// A word of the request line, from 0.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.0.lines().next().and_then(|line| line.split(' ').nth(index)).unwrap_or_default()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let pair = |line: &'_ str| line.split_once(':').map(|(key, _)| key.len());
        let line = self.0.lines().find(|line| pair(line).is_some_and(|at| line[..at].eq_ignore_ascii_case(name)))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}
