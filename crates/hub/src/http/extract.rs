//! Extractors: what a handler takes out of a request, refused with a problem that points at the
//! fault. Nothing is read beyond its limit.

use axum::body::HttpBody;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::request::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use sortie_rules::limits::{BODY_BYTES_MAX, REFUSED_BODY_BYTES_MAX};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse, refuse_at};

/// A JSON body of at most `MAX` bytes.
pub(crate) struct Body<T, const MAX: usize = BODY_BYTES_MAX> {
    /// What it says.
    pub(crate) value: T,
    /// The bytes themselves, by which a repeated request is recognised.
    pub(crate) bytes: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned, const MAX: usize> FromRequest<S> for Body<T, MAX> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let bytes = read(request, MAX).await?;
        let value = parse(&bytes)?;
        Ok(Body { value, bytes })
    }
}

async fn read(request: Request, max: usize) -> Result<Bytes, Fault> {
    let too_large = || refuse(ProblemCode::TooLarge, format!("This address takes at most {max} bytes."));
    let (parts, mut body) = request.into_parts();
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
    match Limited::new(&mut body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            hear_out(body).await;
            Err(too_large())
        }
        Err(_) => Err(refuse(ProblemCode::MalformedBody, "The body broke off before its end.")),
    }
}

fn is_json(media_type: &str) -> bool {
    media_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads the rest of a refused body and forgets it: over HTTP/1.1 a caller that is still sending when
/// the connection closes may never see the answer.
async fn hear_out(mut body: impl HttpBody<Data = Bytes> + Unpin) {
    let mut heard = 0;
    while heard < REFUSED_BODY_BYTES_MAX
        && let Some(Ok(frame)) = body.frame().await
    {
        heard += frame.data_ref().map_or(0, Bytes::len);
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Only a refusal pays for finding the place.
        let pointer = pointer_to_fault::<T>(bytes);
        refuse_at(ProblemCode::MalformedBody, pointer, format!("{error}."))
    })
}

fn pointer_to_fault<T: DeserializeOwned>(bytes: &[u8]) -> String {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut source) else { return String::new() };
    let mut pointer = String::new();
    for segment in error.path() {
        use serde_path_to_error::Segment;
        match segment {
            Segment::Seq { index } => pointer += &format!("/{index}"),
            Segment::Map { key } => pointer += &format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The query of a request.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(QueryOf(query)),
            Err(error) => Err(refuse(ProblemCode::MalformedParameter, format!("{}.", error.body_text()))),
        }
    }
}

/// The variable parts of a path.
pub(crate) struct PathOf<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(PathOf(path)),
            Err(error) => Err(refuse(ProblemCode::MalformedParameter, format!("{}.", error.body_text()))),
        }
    }
}

#[cfg(test)]
mod tests {
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
}
