//! Requests that no client of ours would send.

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use sortie_client::Connect;
use sortie_client::tls::{Identity, client_config};

use crate::Answer;

/// Who a request by hand comes from.
#[derive(Debug, Clone)]
pub enum As {
    /// A person or program with this token.
    Token(String),
    /// An agent with this certificate.
    Node(Identity),
    /// Somebody without any proof.
    Nobody,
}

/// A request by hand.
#[derive(Debug, Clone)]
pub struct Request {
    connect: Connect,
    method: Method,
    path: String,
    who: As,
    headers: Vec<(String, String)>,
    body: Option<(String, Vec<u8>)>,
}

impl Request {
    pub(crate) fn new(connect: &Connect, token: &str, method: Method, path: &str) -> Request {
        let who = As::Token(token.to_owned());
        Request { connect: connect.clone(), method, path: path.to_owned(), who, headers: Vec::new(), body: None }
    }

    /// The same from someone else.
    #[must_use]
    pub fn from(mut self, who: As) -> Request {
        self.who = who;
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(self, body: &serde_json::Value) -> Request {
        self.body("application/json", body.to_string())
    }

    /// The same with a body of this media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Request {
        self.body = Some((media_type.to_owned(), body.into()));
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// If no answer comes.
    pub async fn send(self) -> Answer {
        let line = format!("{} {}", self.method, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("{line} was not answered: {error:?}"))
    }

    /// Sends it; the error is that no answer came.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let identity = match &self.who {
            As::Node(identity) => Some(identity.clone()),
            As::Token(_) | As::Nobody => None,
        };
        let connect = Connect { identity, ..self.connect };
        let config = client_config(&connect).expect("a hub's own certificates can be trusted");
        let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy();
        // Where an answer leads is for the story to see.
        let client = client.redirect(reqwest::redirect::Policy::none()).build()?;
        let mut request = client.request(self.method, format!("{}{}", connect.hub, self.path));
        if let As::Token(token) = &self.who {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(HeaderName::from_bytes(name.as_bytes()).expect("a header's name"), value);
        }
        if let Some((media_type, body)) = self.body {
            request = request.header(CONTENT_TYPE, media_type).body(body);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // A stream of events has no end that one could wait for.
        let is_stream = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let body = if is_stream { String::new() } else { answer.text().await? };
        Ok(Answer { status, headers, body })
    }
}
