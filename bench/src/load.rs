//! One connection to the hub, as lean as a client library can be: HTTP/1.1 kept open over TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::hub::Hub;

/// One connection.
pub(crate) struct Desk {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    token: HeaderValue,
}

impl Desk {
    /// Opens one, with the administrator's token.
    pub(crate) async fn open(hub: &Hub) -> anyhow::Result<Desk> {
        Desk::open_at(hub, hub.listen()).await
    }

    /// The same at another address that leads to this hub, or to one with the same keys.
    pub(crate) async fn open_at(hub: &Hub, address: SocketAddr) -> anyhow::Result<Desk> {
        let config = sortie_client::tls::client_config(&hub.connect()?)?;
        let stream = TcpStream::connect(address).await.context("the hub does not listen")?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(address.ip());
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // Whoever sends next hears of it.
            let _ = connection.await;
        });
        let token = HeaderValue::from_str(&format!("Bearer {}", hub.token()?))?;
        Ok(Desk { sender, host: HeaderValue::from_str(&address.to_string())?, token })
    }

    /// So many connections.
    pub(crate) async fn open_many(hub: &Hub, count: usize) -> anyhow::Result<Vec<Desk>> {
        let mut desks = Vec::with_capacity(count);
        for _ in 0..count {
            desks.push(Desk::open(hub).await?);
        }
        Ok(desks)
    }

    /// Posts JSON and waits for the answer, which must be that something was created.
    pub(crate) async fn create(&mut self, path: &str, body: String, key: Option<&str>) -> anyhow::Result<()> {
        let mut request = Request::post(path)
            .header(HOST, self.host.clone())
            .header(AUTHORIZATION, self.token.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        let status = answer.status();
        let said = answer.into_body().collect().await?.to_bytes();
        ensure!(status == StatusCode::CREATED, "the hub answered {status}: {}", String::from_utf8_lossy(&said));
        Ok(())
    }
}
