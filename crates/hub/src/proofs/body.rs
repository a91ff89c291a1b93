//! Sees to it that a request's body is the one for which the proof was made, whoever reads it: a body that is
//! another breaks off instead of ending.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{Context as Digest, SHA256};
use axum::body::{Body, HttpBody};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse};

/// The SHA-256 of a body.
pub(crate) type BodyHash = [u8; 32];

/// The body is another than the proof was made for.
#[derive(Debug, thiserror::Error)]
#[error("the body is another than the proof was made for")]
pub(crate) struct OtherBody;

impl OtherBody {
    /// What whoever sent it is told.
    pub(crate) fn fault() -> Fault {
        let detail =
            "The body is another than the proof of who is asking was made for; something on the way changes it.";
        refuse(ProblemCode::AssertionInvalid, detail)
    }
}

/// Reads a hash as proofs carry it.
pub(crate) fn hash_of(text: &str) -> Option<BodyHash> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// The body, which ends well only if it hashes to this.
pub(crate) fn bound(body: Body, hash: BodyHash) -> Result<Body, Fault> {
    let mut bound = Bound { body, digest: Some(Digest::new(&SHA256)), hash };
    // Where nothing was sent, nobody need read to the end to know.
    if bound.body.is_end_stream() {
        return if bound.ends_well() { Ok(Body::empty()) } else { Err(OtherBody::fault()) };
    }
    Ok(Body::new(bound))
}

struct Bound {
    body: Body,
    /// Gone once the end was judged.
    digest: Option<Digest>,
    hash: BodyHash,
}

impl Bound {
    fn ends_well(&mut self) -> bool {
        self.digest.take().is_none_or(|digest| digest.finish().as_ref() == self.hash)
    }
}

impl HttpBody for Bound {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(digest), Some(data)) = (&mut this.digest, frame.data_ref()) {
                    digest.update(data);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) if !this.ends_well() => Poll::Ready(Some(Err(OtherBody.into()))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Not before the end was judged, or a reader might leave without asking for it.
    fn is_end_stream(&self) -> bool {
        self.digest.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a body could not be read because it was another.
pub(crate) fn is_another(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<OtherBody>())
}

/// All of a body, for what is signed as a whole.
pub(super) async fn whole(body: Body) -> Result<Bytes, axum::Error> {
    body.collect().await.map(http_body_util::Collected::to_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::digest;

    fn hash(text: &[u8]) -> BodyHash {
        digest(&SHA256, text).as_ref().try_into().unwrap()
    }

    #[tokio::test]
    async fn a_body_ends_well_only_if_it_is_the_one_that_was_meant() {
        let read = async |text: &'static str, meant: &[u8]| whole(bound(Body::from(text), hash(meant)).unwrap()).await;
        assert_eq!(read("one", b"one").await.unwrap(), "one");
        let error = read("other", b"one").await.unwrap_err();
        assert!(is_another(&error), "{error:?}");
        assert!(bound(Body::empty(), hash(b"")).is_ok());
        assert!(bound(Body::empty(), hash(b"one")).is_err());
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_one_body() {
        let pieces = ["on", "e"].map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())));
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        assert_eq!(whole(bound(body, hash(b"one")).unwrap()).await.unwrap(), "one");
    }
}
