//! The page and what it is made of, all in the program. It loads nothing from elsewhere and sends nothing
//! anywhere else, which its Content-Security-Policy holds it to.

use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use sortie_rules::access::Need;
use utoipa_axum::routes;

use crate::http::{Audience, Routes};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the page.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::Nobody, routes!(docs))
        .add(Audience::People, Need::Nobody, routes!(docs_script))
        .add(Audience::People, Need::Nobody, routes!(docs_style))
}

fn file(media_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // Another version of the hub has another page.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// This API to read and to try, in a browser.
#[utoipa::path(get, path = "/api/docs",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")))]
async fn docs() -> impl IntoResponse {
    file("text/html; charset=utf-8", include_str!("index.html"))
}

/// The page's script.
#[utoipa::path(get, path = "/api/docs/docs.js",
    responses((status = 200, description = "A script", body = String, content_type = "text/javascript")))]
async fn docs_script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("docs.js"))
}

/// The page's style.
#[utoipa::path(get, path = "/api/docs/docs.css",
    responses((status = 200, description = "A style sheet", body = String, content_type = "text/css")))]
async fn docs_style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("docs.css"))
}
