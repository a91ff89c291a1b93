//! Signs what is answered to an assertion, problems too, so that nobody on the way can answer in the hub's
//! place, nor give an old answer again.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::Response;
use sortie_wire::answers::{ANSWER, HEADER, header, signed};

use super::body::whole;
use crate::identity::Held;

/// What an answer is to: the hash of the assertion. It travels with the answer to where that is whole.
#[derive(Debug, Clone)]
pub(crate) struct SealedFor(pub(crate) String);

/// Signs an answer that is to an assertion; any other stays as it is.
pub(crate) async fn seal(keys: &Held, mut answer: Response) -> Response {
    let Some(SealedFor(to)) = answer.extensions_mut().remove::<SealedFor>() else { return answer };
    let (mut parts, body) = answer.into_parts();
    let body = match whole(body).await {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "An answer could not be put together and goes unsigned");
            return Response::from_parts(parts, Body::empty());
        }
    };
    let signature = keys.signer().sign_apart(ANSWER, &signed(&to, parts.status.as_u16(), &body));
    if let Ok(value) = HeaderValue::from_str(&header(&signature)) {
        parts.headers.insert(HEADER, value);
    }
    Response::from_parts(parts, Body::from(body))
}
