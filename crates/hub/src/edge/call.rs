//! One request to the edge: who is asked, how long, how much is read of the answer, and what a bad one means. Nothing
//! of an answer is repeated but the numbers in it: it may hold what was sent.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use sortie_rules::enforcement::Failure;
use sortie_rules::limits::{EDGE_ANSWER_BYTES_MAX, EDGE_ANSWER_MAX};
use sortie_rules::time::Span;

use super::settings::EdgeSettings;
use crate::clock::Stopwatch;

/// The way to the edge. Nothing is called when it is made.
#[derive(Debug)]
pub(crate) struct Edge {
    http: reqwest::Client,
    url: String,
    /// Where it is called, for people: the host and the port.
    host: String,
}

/// An answer of the edge that could be read.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) result: Value,
    #[serde(default)]
    errors: Vec<ErrorNumber>,
    #[serde(default)]
    success: bool,
}

/// What it says of what went wrong, as far as that is read.
#[derive(Debug, Deserialize)]
struct ErrorNumber {
    #[serde(default)]
    code: i64,
}

/// How a request ended that had an answer.
pub(super) enum Ended {
    /// Well.
    Done(Answer),
    /// What was asked for is not there; with the numbers of its errors.
    Missing(Vec<i64>),
}

impl Edge {
    /// The edge of the settings.
    ///
    /// # Errors
    /// TLS cannot be set up on this machine.
    pub(crate) fn new(settings: &EdgeSettings) -> Result<Edge, reqwest::Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // Wherever it leads to, the token does not.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(EDGE_ANSWER_MAX.to_std())
            .user_agent(concat!("sortie/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let url = settings.url.trim_end_matches('/').to_owned();
        let place = reqwest::Url::parse(&url).ok().and_then(|url| {
            let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}{port}", url.host_str()?))
        });
        Ok(Edge { http, url, host: place.unwrap_or_default() })
    }

    /// Makes one request with this token.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<Ended, Failure> {
        let watch = Stopwatch::start();
        let ended = self.ask(method, path, token, body).await;
        let outcome = match &ended {
            Ok(Ended::Done(_)) => "ok",
            Ok(Ended::Missing(_)) => "missing",
            Err(failure) => failure.reason,
        };
        metrics::counter!("sortie_edge_calls_total", "operation" => operation, "outcome" => outcome).increment(1);
        metrics::histogram!("sortie_edge_call_seconds", "operation" => operation).record(watch.seconds());
        ended
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Result<Ended, Failure> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| failure("token_unusable", "the token in the secret holds what no token can".to_owned()))?;
        bearer.set_sensitive(true);
        let mut request = self.http.request(method, format!("{}{path}", self.url)).header(AUTHORIZATION, bearer);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = request.send().await.map_err(|error| self.away(error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let read = self.read(answer).await?;
        self.judge(status, &headers, read)
    }

    /// The body as far as it is JSON of the right form; nothing if it is something else.
    async fn read(&self, mut answer: reqwest::Response) -> Result<Option<Answer>, Failure> {
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.away(error))? {
            if bytes.len() + part.len() > EDGE_ANSWER_BYTES_MAX {
                return Err(self.unreadable(format!("its answer is larger than {EDGE_ANSWER_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(serde_json::from_slice(&bytes).ok())
    }

    fn judge(&self, status: StatusCode, headers: &HeaderMap, read: Option<Answer>) -> Result<Ended, Failure> {
        let host = &self.host;
        let codes: Vec<i64> = read.iter().flat_map(|answer| &answer.errors).map(|error| error.code).collect();
        let told = match codes.first() {
            Some(code) => format!("{}, error {code}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        match (status.as_u16(), read) {
            (200..=299, Some(answer)) if answer.success => Ok(Ended::Done(answer)),
            // A removed rule may be confirmed without a word.
            (204, _) => Ok(Ended::Done(Answer::default())),
            (200..=299, _) => Err(self.unreadable("it says yes in a form that is not its own".to_owned())),
            (404, Some(_)) => Ok(Ended::Missing(codes)),
            (401 | 403, _) => {
                let why = format!(
                    "{host} does not take the token ({told}); it must be valid, and may edit the firewall (WAF) of \
                     the zone"
                );
                Err(failure("token_refused", why))
            }
            (429, _) => {
                let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
                let retry_after = seconds.map(|seconds| Span::seconds(seconds.into()));
                let why = format!("{host} was asked too often ({told})");
                Err(Failure { retry_after, ..failure("edge_busy", why) })
            }
            (500..=599, _) => Err(failure("edge_away", format!("{host} (edge.url) is in trouble ({told})"))),
            (300..=399, _) => {
                let why = format!("{host} leads elsewhere ({told}), which is not followed; look at edge.url");
                Err(failure("edge_refused", why))
            }
            _ => Err(failure("edge_refused", format!("{host} does not do it ({told})"))),
        }
    }

    fn unreadable(&self, why: String) -> Failure {
        failure("edge_unreadable", format!("{} cannot be understood: {why}", self.host))
    }

    fn away(&self, error: reqwest::Error) -> Failure {
        let host = &self.host;
        if error.is_timeout() {
            let seconds = EDGE_ANSWER_MAX.0 / 1000;
            return failure("edge_away", format!("{host} (edge.url) did not answer within {seconds} s"));
        }
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        failure("edge_away", format!("{host} (edge.url) cannot be reached: {cause}"))
    }
}

/// A failure that is worth another try.
pub(super) fn failure(reason: &'static str, message: String) -> Failure {
    Failure { reason, message, retry_after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, header: Option<&'static str>, body: &str) -> Result<Ended, Failure> {
        let edge = Edge { http: reqwest::Client::new(), url: String::new(), host: "edge.example".to_owned() };
        let mut headers = HeaderMap::new();
        header.map(|value| headers.insert(RETRY_AFTER, HeaderValue::from_static(value)));
        edge.judge(StatusCode::from_u16(status).unwrap(), &headers, serde_json::from_str(body).ok())
    }

    #[test]
    fn each_bad_answer_has_a_word_and_repeats_nothing_of_it() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let said = r#"{"success":false,"errors":[{"code":10000,"message":"hunter22"}]}"#;
        for (status, reason) in [
            (401, "token_refused"),
            (403, "token_refused"),
            (429, "edge_busy"),
            (500, "edge_away"),
            (302, "edge_refused"),
            (400, "edge_refused"),
            (200, "edge_unreadable"),
        ] {
            let failure = judged(status, None, said).err().unwrap();
            assert_eq!(failure.reason, reason, "{status}");
            assert!(!failure.message.contains("hunter22"), "{}", failure.message);
        }
        assert!(judged(403, None, said).err().unwrap().message.contains("403, error 10000"));
        assert_eq!(judged(429, Some("90"), "").err().unwrap().retry_after, Some(Span::seconds(90)));
        assert_eq!(judged(429, Some("tomorrow"), "").err().unwrap().retry_after, None);
        assert!(matches!(judged(404, None, said), Ok(Ended::Missing(codes)) if codes == [10000]));
        assert_eq!(judged(404, None, "<html>").err().unwrap().reason, "edge_refused", "that was not the edge");
        assert!(matches!(judged(200, None, r#"{"success":true,"result":{}}"#), Ok(Ended::Done(_))));
        assert!(judged(200, None, "[]").is_err());
    }

    #[tokio::test]
    async fn an_edge_that_is_away_is_told_with_its_port_and_the_setting_that_names_it() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let place = free.local_addr().unwrap().to_string();
        drop(free);
        let settings = EdgeSettings { url: format!("http://{place}/v4/"), ..EdgeSettings::default() };
        let away =
            Edge::new(&settings).unwrap().call("look", Method::GET, "/zones", "token", None).await.err().unwrap();
        assert_eq!(away.reason, "edge_away");
        assert!(away.message.starts_with(&format!("{place} (edge.url) cannot be reached: ")), "{}", away.message);
        assert_eq!(Edge::new(&EdgeSettings::default()).unwrap().host, "api.cloudflare.com:443");
    }
}
