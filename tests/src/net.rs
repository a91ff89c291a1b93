//! The net between two programs, in the story's hand: it carries bytes, or refuses, or stalls, or
//! breaks off in the middle of an answer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP forwarder on a port of its own.
#[derive(Debug)]
pub struct Net {
    address: SocketAddr,
    sky: Arc<Sky>,
}

#[derive(Debug)]
struct Sky {
    far: Vec<SocketAddr>,
    /// With which of them the next connection begins.
    turn: AtomicUsize,
    weather: watch::Sender<Weather>,
    /// Changes when every connection is to be cut.
    cut: watch::Sender<u32>,
    carried: AtomicU32,
    refused: AtomicU32,
    answers_to_cut: AtomicU32,
    /// The next answer that holds this is lost.
    answer_to_lose: Mutex<Option<&'static str>>,
    /// The next question that holds this is lost.
    question_to_lose: Mutex<Option<&'static str>>,
    /// By how many milliseconds everything is late.
    late_ms: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    Refusing,
    Stalled,
}

impl Net {
    /// A way to this address (`127.0.0.1:8443`, or a URL with a port), where nobody need listen yet.
    ///
    /// # Panics
    /// If that is no address.
    pub async fn to(far: &str) -> Net {
        Net::among(&[far]).await
    }

    /// A way to these addresses, as a balancer is one: each connection begins with the next of them, and goes on to
    /// another where nobody takes it.
    ///
    /// # Panics
    /// If one of them is no address.
    pub async fn among(far: &[&str]) -> Net {
        let far = far.iter().map(|far| {
            let authority = far.split_once("://").map_or(*far, |(_, rest)| rest);
            let authority = authority.split('/').next().unwrap_or_default();
            let far = authority.rsplit('@').next().and_then(|address| address.parse().ok());
            far.expect("an address with a port")
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
        let sky = Arc::new(Sky {
            far: far.collect(),
            turn: AtomicUsize::new(0),
            weather: watch::Sender::new(Weather::Fair),
            cut: watch::Sender::new(0),
            carried: AtomicU32::new(0),
            refused: AtomicU32::new(0),
            answers_to_cut: AtomicU32::new(0),
            answer_to_lose: Mutex::new(None),
            question_to_lose: Mutex::new(None),
            late_ms: AtomicU64::new(0),
        });
        let address = listener.local_addr().expect("a bound socket has an address");
        tokio::spawn(accept(listener, Arc::clone(&sky)));
        Net { address, sky }
    }

    /// Where it begins, for example `127.0.0.1:41234`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The same as a hub's address.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// How many connections it has taken and carried.
    pub fn carried(&self) -> u32 {
        self.sky.carried.load(Ordering::SeqCst)
    }

    /// How many connections it has refused.
    pub fn refused(&self) -> u32 {
        self.sky.refused.load(Ordering::SeqCst)
    }

    /// The same way to the database of this address: `postgres://user@127.0.0.1:5433/name`.
    ///
    /// # Panics
    /// If that is no address.
    pub fn to_database(&self, url: &str) -> String {
        let (start, database) = url.rsplit_once('/').expect("a database's address names the database");
        let (user, _) = start.rsplit_once('@').expect("it names a user");
        format!("{user}@{}/{database}", self.address)
    }

    /// Cuts every connection that is open; others may follow.
    pub fn cut(&self) {
        self.sky.cut.send_modify(|count| *count += 1);
    }

    /// Cuts every connection, and each that is tried from now on.
    pub fn refuse(&self) {
        self.sky.weather.send_replace(Weather::Refusing);
        self.cut();
    }

    /// Takes connections and bytes, and passes nothing on.
    pub fn stall(&self) {
        self.sky.weather.send_replace(Weather::Stalled);
    }

    /// Breaks off in the middle of the next so many answers.
    pub fn cut_answers(&self, many: u32) {
        self.sky.answers_to_cut.store(many, Ordering::SeqCst);
    }

    /// Cuts a connection instead of carrying the next answer on any that holds these words.
    pub fn lose_answer(&self, holding: &'static str) {
        *self.sky.answer_to_lose.lock().unwrap_or_else(PoisonError::into_inner) = Some(holding);
    }

    /// Cuts a connection instead of carrying the next question on any that holds these words.
    pub fn lose_question(&self, holding: &'static str) {
        *self.sky.question_to_lose.lock().unwrap_or_else(PoisonError::into_inner) = Some(holding);
    }

    /// Whether such a question is still to come.
    pub fn has_question_to_lose(&self) -> bool {
        self.sky.question_to_lose.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether such an answer is still to come.
    pub fn has_answer_to_lose(&self) -> bool {
        self.sky.answer_to_lose.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Carries everything, so much later.
    pub fn be_late(&self, by: Duration) {
        self.sky.late_ms.store(u64::try_from(by.as_millis()).expect("a short time"), Ordering::SeqCst);
    }

    /// How many answers are still to be cut.
    pub fn answers_to_cut(&self) -> u32 {
        self.sky.answers_to_cut.load(Ordering::SeqCst)
    }

    /// Carries everything again.
    pub fn mend(&self) {
        self.sky.weather.send_replace(Weather::Fair);
    }
}

impl Sky {
    async fn connect(&self) -> Option<TcpStream> {
        let first = self.turn.fetch_add(1, Ordering::SeqCst);
        for next in 0..self.far.len() {
            if let Ok(far) = TcpStream::connect(self.far[(first + next) % self.far.len()]).await {
                return Some(far);
            }
        }
        None
    }

    /// Whether this answer, or this question, is the one to lose.
    fn loses(&self, carried: &[u8], answers: bool) -> bool {
        let holding = if answers { &self.answer_to_lose } else { &self.question_to_lose };
        let mut holding = holding.lock().unwrap_or_else(PoisonError::into_inner);
        holding.take_if(|words| carried.windows(words.len()).any(|part| part == words.as_bytes())).is_some()
    }
}

async fn accept(listener: TcpListener, sky: Arc<Sky>) {
    while let Ok((near, _)) = listener.accept().await {
        if *sky.weather.borrow() == Weather::Refusing {
            sky.refused.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        sky.carried.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(carry(near, Arc::clone(&sky)));
    }
}

async fn carry(near: TcpStream, sky: Arc<Sky>) {
    let mut cut = sky.cut.subscribe();
    let Some(far) = sky.connect().await else { return };
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(from_near, to_far, &sky, false) => {}
        () = pump(from_far, to_near, &sky, true) => {}
        _ = cut.changed() => {}
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    sky: &Sky,
    answers: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut weather = sky.weather.subscribe();
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        drop(weather.wait_for(|weather| *weather != Weather::Stalled).await);
        let late_ms = sky.late_ms.load(Ordering::SeqCst);
        if late_ms > 0 {
            tokio::time::sleep(Duration::from_millis(late_ms)).await;
        }
        if sky.loses(&buffer[..count], answers) {
            return;
        }
        let one_less = |left: u32| left.checked_sub(1);
        if answers && sky.answers_to_cut.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            let _broken = to.write_all(&buffer[..count / 2]).await;
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
