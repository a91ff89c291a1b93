//! Bells between hubs on one database: short messages by LISTEN and NOTIFY, on a connection of their own. They hint and
//! promise nothing: whoever gets one looks at the store. What others rang while the connection was away is lost, and
//! that it may be is told; what is to be rung waits until there is another, and may be rung twice.
//!
//! The same connection holds a lock of the hub's own. The server drops it when the connection ends, so that others can
//! see at once that a hub is dead. Where a network is cut, the server may keep both for a long time: a lock that is
//! held proves nothing.

use std::time::Duration;

use futures_util::future::poll_fn;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};

use super::address::{self, Address};
use super::faults::words;
use super::tls;
use crate::errors::OpenError;
use crate::store::{Bells, Rung};

/// Where hubs ring.
const CHANNEL: &str = "sortie_bells";
/// Most messages that wait on their way in or out; what is too much is lost.
const WAITING_MAX: usize = 4096;
/// How long after the connection was lost the next is tried, and after the lock was not free that one.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How long the server may take to pass a bell on before the connection is taken for dead.
const RINGS_WITHIN: Duration = Duration::from_secs(5);

/// Listens and rings until the bells are dropped, and holds this lock meanwhile.
pub(super) fn bells(url: &str, lock: Option<i64>) -> Result<Bells, OpenError> {
    let Address { config, tls, trusted } = address::parse(url)?;
    let (ring, to_send) = mpsc::channel(WAITING_MAX);
    let (heard, rung) = mpsc::channel(WAITING_MAX);
    let (held, holds_lock) = watch::channel(0);
    let lock = Lock { number: lock, times: 0, held };
    if tls {
        let connector = tls::connector(trusted.as_deref())?;
        tokio::spawn(keep_on(move || connect(config.clone(), connector.clone()), to_send, heard, lock));
    } else {
        tokio::spawn(keep_on(move || connect(config.clone(), NoTls), to_send, heard, lock));
    }
    Ok(Bells { ring, rung, holds_lock })
}

/// The lock that the connection holds.
struct Lock {
    /// Which; none if it holds none.
    number: Option<i64>,
    /// How often it was taken.
    times: u64,
    held: watch::Sender<u64>,
}

impl Lock {
    /// Takes it, if it is free. It may not be: a former connection may stand at the server still.
    async fn take(&mut self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let Some(number) = self.number.filter(|_| self.is_wanted()) else { return Ok(()) };
        if client.query_one("select pg_try_advisory_lock($1)", &[&number]).await?.get(0) {
            self.times += 1;
            self.held.send_replace(self.times);
        }
        Ok(())
    }

    /// The connection has ended.
    fn lost(&self) {
        self.held.send_replace(0);
    }

    fn is_wanted(&self) -> bool {
        self.number.is_some() && *self.held.borrow() == 0
    }
}

/// A connection that listens: what sends over it, and what comes.
type Listening = (Client, mpsc::Receiver<String>);

async fn keep_on<F>(
    open: impl Fn() -> F,
    mut to_send: mpsc::Receiver<String>,
    heard: mpsc::Sender<Rung>,
    mut lock: Lock,
) where
    F: Future<Output = Result<Listening, tokio_postgres::Error>>,
{
    let (mut is_told, mut unsent) = (false, None);
    loop {
        match open().await {
            Ok(listening) => {
                is_told = false;
                if heard.send(Rung::MayHaveMissed).await.is_err() {
                    return;
                }
                let goes_on = serve(listening, (&mut to_send, &mut unsent), &heard, &mut lock).await;
                lock.lost();
                if !goes_on {
                    return;
                }
            }
            Err(error) if !is_told => {
                is_told = true;
                let error = words(&error);
                tracing::warn!(
                    error,
                    "Bells to other hubs do not ring while the database is away; all is looked for later"
                );
            }
            Err(_) => {}
        }
        if heard.is_closed() || to_send.is_closed() {
            return;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Passes on what comes and goes until the connection ends. `false` if nobody wants the bells any more.
async fn serve(
    (client, mut coming): Listening,
    (to_send, unsent): (&mut mpsc::Receiver<String>, &mut Option<String>),
    heard: &mpsc::Sender<Rung>,
    lock: &mut Lock,
) -> bool {
    if lock.take(&client).await.is_err() || !ring(&client, unsent).await {
        return true;
    }
    // No bell moves it: where they ring without end, the lock is tried for all the same.
    let mut again = interval(AGAIN_AFTER);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    again.reset();
    loop {
        tokio::select! {
            _ = again.tick(), if lock.is_wanted() => {
                if lock.take(&client).await.is_err() {
                    return true;
                }
            }
            rung = coming.recv() => match rung {
                Some(text) => if heard.send(Rung::Bell(text)).await.is_err() { return false },
                None => return true,
            },
            text = to_send.recv() => {
                let Some(text) = text else { return false };
                *unsent = Some(text);
                if !ring(&client, unsent).await {
                    return true;
                }
            }
        }
    }
}

/// Rings, if there is something to ring. `false` if the connection did not take it: then it stays to be rung.
async fn ring(client: &Client, unsent: &mut Option<String>) -> bool {
    let Some(text) = unsent else { return true };
    let rings = async { client.execute("select pg_notify($1, $2)", &[&CHANNEL, text]).await.is_ok() };
    let has_rung = timeout(RINGS_WITHIN, rings).await.unwrap_or(false);
    if has_rung {
        *unsent = None;
    }
    has_rung
}

async fn connect<T>(config: Config, tls: T) -> Result<Listening, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    let (sender, coming) = mpsc::channel(WAITING_MAX);
    tokio::spawn(pass_on(connection, sender));
    client.batch_execute(&format!("listen {CHANNEL}")).await?;
    Ok((client, coming))
}

/// Drives a connection; ends with it.
async fn pass_on<S>(mut connection: Connection<Socket, S>, sender: mpsc::Sender<String>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(rung) = message {
            // Where too many come at once, some are lost.
            let _ = sender.try_send(rung.payload().to_owned());
        }
    }
}
