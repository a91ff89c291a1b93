//! A service of a site's own network, for `http.check`: it answers with one status, at once or when
//! the story lets it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A service on a port of its own.
pub(crate) struct LocalService {
    pub(crate) address: SocketAddr,
    /// How many requests wait for their answer now.
    pub(crate) open: Arc<AtomicUsize>,
    /// How many waited at once at most.
    pub(crate) peak: Arc<AtomicUsize>,
    /// How many it has answered or answers yet.
    pub(crate) asked: Arc<AtomicUsize>,
    answers: watch::Sender<bool>,
}

impl LocalService {
    /// One that answers at once: `status` is what follows `HTTP/1.1`.
    pub(crate) async fn start(status: &'static str) -> LocalService {
        let service = LocalService::holding(status).await;
        service.answer();
        service
    }

    /// One that takes requests and does not answer before it is told to.
    pub(crate) async fn holding(status: &'static str) -> LocalService {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let service = LocalService {
            address: listener.local_addr().expect("a bound socket has an address"),
            open: Arc::default(),
            peak: Arc::default(),
            asked: Arc::default(),
            answers: watch::Sender::new(false),
        };
        let (open, peak, asked) = (service.open.clone(), service.peak.clone(), service.asked.clone());
        let answers = service.answers.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let now = open.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(now, Ordering::SeqCst);
                let (open, answers) = (open.clone(), answers.subscribe());
                tokio::spawn(async move {
                    serve(stream, status, answers).await;
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        service
    }

    /// From now on it answers, those who wait too.
    pub(crate) fn answer(&self) {
        self.answers.send_replace(true);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/health", self.address)
    }
}

async fn serve(mut stream: TcpStream, status: &str, mut answers: watch::Receiver<bool>) {
    let mut head = [0; 4096];
    let _bytes = stream.read(&mut head).await;
    let mut more = [0];
    tokio::select! {
        _ = answers.wait_for(|answers| *answers) => {}
        // The asker has gone.
        _ = stream.read(&mut more) => return,
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _gone = stream.write_all(answer.as_bytes()).await;
}
