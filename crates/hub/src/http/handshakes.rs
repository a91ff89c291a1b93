//! How many TLS handshakes are under way at once.
//!
//! After a restart thousands of agents come within a second or two. Went all their handshakes on side by side, none
//! would be done before its client has given up, and each would be begun again. So they take turns, and who has
//! left when his turn comes costs nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Handshakes under way at once: enough to keep the processors busy although each waits for an answer that may be a
/// tenth of a second away.
const AT_ONCE: usize = 512;
/// Who takes longer waits for his client, and lets the next one begin.
const TURN: Duration = Duration::from_secs(1);

/// Lets handshakes begin.
#[derive(Debug, Clone)]
pub(super) struct Handshakes(Arc<Semaphore>);

impl Default for Handshakes {
    fn default() -> Handshakes {
        Handshakes(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Handshakes {
    /// Does it when its turn has come, first come, first served. Nothing, if the client has left until then.
    pub(super) async fn in_turn<H: Future>(
        &self,
        stream: TcpStream,
        handshake: impl FnOnce(TcpStream) -> H,
    ) -> io::Result<Option<H::Output>> {
        // Who has said nothing yet is not waited for in a place.
        stream.readable().await?;
        let place = self.0.acquire().await.map_err(io::Error::other)?;
        if stream.ready(Interest::READABLE).await?.is_read_closed() {
            return Ok(None);
        }
        let mut handshake = Box::pin(handshake(stream));
        tokio::select! {
            done = &mut handshake => return Ok(Some(done)),
            () = tokio::time::sleep(TURN) => drop(place),
        }
        Ok(Some(handshake.await))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// Both ends of a connection; the client has said something.
    async fn connection(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let mut client = client.unwrap();
        client.write_all(b"hello").await.unwrap();
        (client, accepted.unwrap().0)
    }

    #[tokio::test]
    async fn who_has_left_when_his_turn_comes_costs_no_handshake() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, left) = connection(&listener).await;
        drop(client);
        while !left.ready(Interest::READABLE).await.unwrap().is_read_closed() {
            tokio::task::yield_now().await;
        }
        let handshakes = Handshakes::default();
        let done = handshakes.in_turn(left, |_| async { panic!("nobody is there") }).await.unwrap();
        assert!(done.is_none());
        let (_client, there) = connection(&listener).await;
        assert_eq!(handshakes.in_turn(there, |_| async { 7 }).await.unwrap(), Some(7));
    }

    #[tokio::test]
    async fn a_handshake_begins_when_one_before_it_has_ended_or_takes_long() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let handshakes = Handshakes(Arc::new(Semaphore::new(1)));
        let (_first, one) = connection(&listener).await;
        let (_second, other) = connection(&listener).await;
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let slow = handshakes.in_turn(one, |_| async move {
            begun.send(()).unwrap();
            ended.await
        });
        let quick = async {
            has_begun.await.unwrap();
            let done = handshakes.in_turn(other, |_| async { 7 }).await.unwrap();
            // Only now may the first one end: it has given up its place, not itself.
            end.send(()).unwrap();
            done
        };
        let (slow, quick) = tokio::join!(slow, quick);
        assert_eq!((slow.unwrap(), quick), (Some(Ok(())), Some(7)));
    }
}
