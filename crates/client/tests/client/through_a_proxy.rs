//! The way out through a proxy.

use std::sync::{Arc, Mutex};

use sortie_client::agent::HubLine;
use sortie_client::{ClientError, Connect, Proxy, Stage, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::certificates::Authority;
use super::server::{Server, keys};

/// An HTTP proxy that tunnels for whoever knows the password, and keeps what it was asked.
async fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    head.push(char::from(client.read_u8().await.unwrap()));
                }
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                // Basic user:pass
                let knows = head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpwyxnz");
                log.lock().unwrap().push(head);
                if !knows {
                    let _gone = client.write_all(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").await;
                    return;
                }
                let mut hub = TcpStream::connect(target).await.unwrap();
                client.write_all(b"HTTP/1.1 200 Yes\r\n\r\n").await.unwrap();
                let _closed = copy_bidirectional(&mut client, &mut hub).await;
            });
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_proxy_is_taken_with_its_password_and_sees_no_secret_of_ours() {
    let authority = Authority::new("the hub's authority");
    let server = Server::start(authority.server("localhost"), &[keys()]).await;
    let (port, asked) = proxy().await;
    let at = |credentials: Option<(String, String)>, except: Option<&str>| Connect {
        proxy: Proxy::At { url: format!("http://127.0.0.1:{port}"), credentials, except: except.map(str::to_owned) },
        ..server.connect("localhost", Trust::Pem(authority.pem()))
    };
    let known = Some(("user".to_owned(), "pass".to_owned()));
    assert_eq!(HubLine::open(&at(known, None)).unwrap().keys(0).await.unwrap().newest, 3);
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(asked.lock().unwrap()[0].starts_with(&format!("CONNECT localhost:{} ", server.port)));

    let refused = HubLine::open(&at(None, None)).unwrap().keys(0).await.unwrap_err();
    assert!(matches!(refused, ClientError::Unreachable { stage: Stage::Proxy, .. }), "{refused:?}");

    HubLine::open(&at(None, Some("localhost"))).unwrap().keys(0).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 2, "a host that is excepted is reached directly");
}
