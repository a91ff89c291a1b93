//! HTTP/1.1 and HTTP/2 as the hub speaks them. TLS agrees on one of the two beforehand; looking at the first
//! bytes instead would cost each connection another 8 KiB.

use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long a connection may be silent between requests before it is closed.
const IDLE_MAX: Duration = Duration::from_secs(75);
/// How long an HTTP/2 connection may leave a ping unanswered.
const PONG_MAX: Duration = Duration::from_secs(10);
/// Largest block of request headers.
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// Most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;

/// Both protocols with their limits.
#[derive(Debug)]
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    pub(super) http2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    /// Sets the limits.
    pub(super) fn new() -> Protocols {
        let mut http1 = http1::Builder::new();
        http1.timer(TokioTimer::new()).header_read_timeout(IDLE_MAX).max_buf_size(HEADERS_BYTES_MAX as usize);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADERS_BYTES_MAX)
            .keep_alive_interval(Some(IDLE_MAX))
            .keep_alive_timeout(PONG_MAX);
        Protocols { http1, http2 }
    }
}
