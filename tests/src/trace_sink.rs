//! Where traces go: it takes whatever is posted and keeps it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::http_head::Head;

/// A collector of traces on a port of its own.
#[derive(Debug)]
pub struct TraceSink {
    address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

/// What was posted.
#[derive(Debug, Clone)]
pub struct Post {
    /// Where to, for example `/v1/traces`.
    pub path: String,
    /// What.
    pub body: Vec<u8>,
}

impl Post {
    /// Whether these bytes stand in it.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        self.body.windows(bytes.len()).any(|window| window == bytes)
    }
}

impl TraceSink {
    /// Starts one.
    pub async fn start() -> TraceSink {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let posts = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posts);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        TraceSink { address, posts }
    }

    /// Its address, for example `http://127.0.0.1:4318`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that was posted so far.
    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn take(stream: TcpStream, posts: Arc<Mutex<Vec<Post>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(head) = Head::read(&mut stream).await {
        let length = head.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let post = Post { path: head.word(1).to_owned(), body };
        posts.lock().unwrap_or_else(PoisonError::into_inner).push(post);
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    }
}
