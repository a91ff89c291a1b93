//! Reading a request's body: so many bytes, in so much time, and nothing but JSON.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sortie_rules::limits::{BODY_SILENCE_MAX, BODY_TIME_MAX, REFUSED_BODY_BYTES_MAX};
use sortie_wire::problem::ProblemCode;
use tower_http::timeout::{TimeoutBody, TimeoutError};

use crate::fault::{Fault, refuse};
use crate::proofs::{OtherBody, is_another};

/// Reads a JSON body of at most `max` bytes.
pub(super) async fn read(request: Request, max: usize) -> Result<Bytes, Fault> {
    let too_large = || refuse(ProblemCode::TooLarge, format!("This address takes at most {max} bytes."));
    let (parts, body) = request.into_parts();
    let mut body = Box::pin(TimeoutBody::new(BODY_SILENCE_MAX.to_std(), body));
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if !header(CONTENT_TYPE).is_some_and(is_json) {
        return Err(refuse(
            ProblemCode::UnsupportedMediaType,
            "Send the body as JSON, with the header `Content-Type: application/json`.",
        ));
    }
    if header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > max) {
        // Whoever asks before sending has not begun to.
        if !parts.headers.contains_key(EXPECT) {
            hear_out(body).await;
        }
        return Err(too_large());
    }
    let whole = Limited::new(&mut body, max).collect();
    let Ok(whole) = tokio::time::timeout(BODY_TIME_MAX.to_std(), whole).await else {
        return Err(too_slow());
    };
    match whole {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            hear_out(body).await;
            Err(too_large())
        }
        Err(error) if error.is::<TimeoutError>() => Err(too_slow()),
        Err(error) if is_another(&*error) => Err(OtherBody::fault()),
        Err(_) => Err(refuse(ProblemCode::MalformedBody, "The body broke off before its end.")),
    }
}

fn too_slow() -> Fault {
    let (silence, whole) = (BODY_SILENCE_MAX, BODY_TIME_MAX);
    let detail =
        format!("The body took too long: no part of it may take longer than {silence}, nor all of it {whole}.");
    refuse(ProblemCode::BodyTooSlow, detail)
}

fn is_json(media_type: &str) -> bool {
    media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads the rest of a refused body and forgets it: over HTTP/1.1 a caller that is still sending when
/// the connection closes may never see the answer.
async fn hear_out(mut body: impl HttpBody<Data = Bytes> + Unpin) {
    let hear = async {
        let mut heard = 0;
        while heard < REFUSED_BODY_BYTES_MAX
            && let Some(Ok(frame)) = body.frame().await
        {
            heard += frame.data_ref().map_or(0, Bytes::len);
        }
    };
    let _over = tokio::time::timeout(BODY_TIME_MAX.to_std(), hear).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::body::Body;
    use axum::response::IntoResponse as _;
    use futures_util::stream;

    use super::*;

    #[test]
    fn json_is_declared_as_such_and_not_as_something_like_it() {
        for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"] {
            assert!(is_json(kind), "{kind}");
        }
        for kind in ["", "application/json-seq", "application/jsonp", "text/json", "json"] {
            assert!(!is_json(kind), "{kind}");
        }
    }

    /// A body that sends a byte each time so much has passed, and has no end.
    fn dripping(every: Duration) -> Request {
        let drops = stream::unfold((), move |()| async move {
            tokio::time::sleep(every).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
        });
        Request::post("/").header(CONTENT_TYPE, "application/json").body(Body::from_stream(drops)).expect("a request")
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_falls_silent_or_only_drips_is_refused() {
        for every in [2 * BODY_SILENCE_MAX.to_std(), Duration::from_secs(1)] {
            let fault = read(dripping(every), 1 << 20).await.expect_err("it never ends");
            assert_eq!(fault.into_response().status().as_u16(), ProblemCode::BodyTooSlow.status());
        }
    }
}
