//! Extractors: what a handler takes out of a request, refused with a problem that points at the
//! fault. Nothing is read beyond its limit.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use sortie_rules::limits::BODY_BYTES_MAX;
use sortie_wire::problem::ProblemCode;

use super::body::read;
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

/// The same, or nothing where nothing was sent.
pub(crate) struct BodyOrNone<T>(pub(crate) Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for BodyOrNone<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        if axum::body::HttpBody::is_end_stream(request.body()) {
            return Ok(BodyOrNone(None));
        }
        let body = Body::<T>::from_request(request, state).await?;
        Ok(BodyOrNone(Some(body.value)))
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
