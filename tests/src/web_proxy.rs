//! A site's web proxy: it lets CONNECT through, to those who know the password, or to nobody.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::http_head::Head;

/// What `user:password` looks like in a header: `sortie` and `open-sesame`.
const BASIC: &str = "Basic c29ydGllOm9wZW4tc2VzYW1l";

/// A web proxy on a port of its own.
#[derive(Debug)]
pub struct WebProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Whom a web proxy lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lets {
    /// Everybody.
    All,
    /// The user `sortie` with the password [`WebProxy::PASSWORD`]; others get 407.
    WithPassword,
    /// Nobody: 403.
    Nobody,
}

impl WebProxy {
    /// The password of the user `sortie`.
    pub const PASSWORD: &'static str = "open-sesame";

    /// Starts one.
    pub async fn start(lets: Lets) -> WebProxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connect(stream, lets, Arc::clone(&heard)));
            }
        });
        WebProxy { address, asked }
    }

    /// Its address, for example `http://127.0.0.1:3128`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same with the right user and password in it.
    pub fn url_with_password(&self) -> String {
        format!("http://sortie:{}@{}", WebProxy::PASSWORD, self.address)
    }

    /// Where connections through it were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn connect(stream: TcpStream, lets: Lets, asked: Arc<Mutex<Vec<String>>>) {
    let mut near = BufReader::new(stream);
    let Some(head) = Head::read(&mut near).await else { return };
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(head.word(1).to_owned());
    let known = head.header("proxy-authorization") == Some(BASIC);
    let refusal = match lets {
        Lets::Nobody => "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
        Lets::WithPassword if !known => {
            "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"site\"\r\n\
             content-length: 0\r\n\r\n"
        }
        _ => match TcpStream::connect(head.word(1)).await {
            Ok(mut far) => {
                let _gone = near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
                let _ended = copy_bidirectional(&mut near, &mut far).await;
                return;
            }
            Err(_) => "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        },
    };
    let _gone = near.write_all(refusal.as_bytes()).await;
}
