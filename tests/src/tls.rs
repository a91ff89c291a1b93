//! A TLS connection to the hub on which the story says every byte.

use std::sync::Arc;

use sortie_client::tls::client_config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::RunningHub;

/// A TLS connection on which the story says every byte.
#[derive(Debug)]
pub struct TlsLine(TlsStream<TcpStream>);

impl RunningHub<'_> {
    /// Opens one. `protocols` are offered by ALPN, for example `h2`.
    pub async fn tls(&self, protocols: &[&str]) -> std::io::Result<TlsLine> {
        let mut config = client_config(&self.connect()).expect("a hub's own certificates can be trusted");
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(self.address()).await?;
        let name = ServerName::try_from("127.0.0.1").expect("an address is a name");
        Ok(TlsLine(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
    }

    /// Where it listens, for example `127.0.0.1:8443`.
    pub fn address(&self) -> String {
        self.url().trim_start_matches("https://").to_owned()
    }
}

impl TlsLine {
    /// Says something.
    pub async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.0.write_all(text.as_bytes()).await?;
        self.0.flush().await
    }

    /// Reads until the other side ends, or breaks off.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let _broken_off = self.0.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads up to the next empty line, as the head of an answer ends with one.
    pub async fn head(&mut self) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            match self.0.read_u8().await {
                Ok(byte) => bytes.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The protocol that ALPN chose.
    pub fn protocol(&self) -> Option<String> {
        self.0.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// The stream, for a client of one's own.
    pub fn into_stream(self) -> TlsStream<TcpStream> {
        self.0
    }
}
