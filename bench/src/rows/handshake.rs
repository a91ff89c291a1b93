//! P6, the first half: full handshakes, in which the hub checks a client's certificate, beside nginx, which asks for
//! none, and resumed ones. Each carries one small request, so that both sides have come to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use counterparts::Nginx;
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::ServerName;
use sortie_client::tls::client_config;
use sortie_client::{Connect, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::HandshakeKind;
use tokio_rustls::rustls::client::Resumption;

use crate::cli::Setup;
use crate::figure::Figure;
use crate::fleet::invite;
use crate::hub::Hub;
use crate::process::processor_seconds;
use crate::swarm::enrolled;
use crate::work;

/// Connections at once.
const CLIENTS: usize = 16;

/// Whom to call, and how.
struct Far {
    connect: Connect,
    address: SocketAddr,
    path: &'static str,
    kind: HandshakeKind,
}

/// Measures it, nginx before and after ours.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let hub = Hub::start(setup, &folder.path().join("hub")).await?;
    let (_, connect) = enrolled(&invite(&hub, work::node(0)).await?, hub.connect()?).await?;
    let ours = |kind| Far { connect: connect.clone(), address: hub.listen(), path: "/nothing", kind };

    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
    let nginx = Nginx::before(&hub.listen().to_string(), &certificate.pem(), &key.serialize_pem());
    let trust = Trust::Pem(certificate.pem());
    let peer = Far {
        connect: Connect { trust, identity: None, ..connect.clone() },
        address: nginx.url().trim_start_matches("https://").parse()?,
        path: "/nginx",
        kind: HandshakeKind::Full,
    };
    let nginx = || Figure { peer: "nginx".to_owned(), ..Figure::ours("handshake_full", "no client certificate") };
    let before = calls(setup, &peer).await?;
    let mut figures = vec![before.figure(nginx())];
    for (workload, kind) in [("handshake_full", HandshakeKind::Full), ("handshake_resumed", HandshakeKind::Resumed)] {
        let used = processor_seconds(hub.pid());
        let done = calls(setup, &ours(kind)).await?;
        let each = 1e6 * (processor_seconds(hub.pid()) - used) / done.count as f64;
        let notes = format!("with a client certificate that is checked; the hub's processor {each:.0} us for each");
        figures.push(done.figure(Figure::ours(workload, notes)).memory(hub.memory()));
    }
    figures.push(calls(setup, &peer).await?.figure(nginx()));
    hub.stop().await?;
    Ok(figures)
}

struct Done {
    count: u64,
    time: Duration,
    times: Vec<Duration>,
}

impl Done {
    fn figure(self, figure: Figure) -> Figure {
        figure.counted(self.count, self.time).times(self.times)
    }
}

async fn calls(setup: &Setup, far: &Far) -> anyhow::Result<Done> {
    let (begun, mut clients) = (Instant::now(), JoinSet::new());
    for _ in 0..CLIENTS {
        let mut config = client_config(&far.connect)?;
        if far.kind == HandshakeKind::Full {
            config.resumption = Resumption::disabled();
        }
        let connector = TlsConnector::from(Arc::new(config));
        let (address, path, kind, lasts) = (far.address, far.path, far.kind, setup.seconds);
        clients.spawn(async move {
            let mut times = Vec::new();
            // The first one brings the ticket for the second.
            call(&connector, address, path).await?;
            while begun.elapsed().as_secs_f64() < lasts {
                let asked = Instant::now();
                let was = call(&connector, address, path).await?;
                ensure!(was == kind, "a handshake was {was:?}");
                times.push(asked.elapsed());
            }
            Ok::<_, anyhow::Error>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = clients.join_next().await {
        times.extend(done??);
    }
    Ok(Done { count: times.len() as u64, time: begun.elapsed(), times })
}

/// One connection with one request, to its end. Returns what its handshake was.
async fn call(connector: &TlsConnector, address: SocketAddr, path: &str) -> anyhow::Result<HandshakeKind> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = connector.connect(ServerName::from(address.ip()), stream).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    ensure!(answer.starts_with(b"HTTP/1.1 "), "no answer came");
    stream.get_ref().1.handshake_kind().context("the handshake has ended")
}
