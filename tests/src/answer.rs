//! What a request by hand was answered with.

use http::HeaderMap;
use serde_json::Value;
use sortie_wire::problem::{MEDIA_TYPE, Problem, ProblemCode};

/// What a request by hand was answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The problem that it is.
    ///
    /// # Panics
    /// If it is none, or one that contradicts the answer it came in.
    pub fn problem(&self) -> Problem {
        let media_type = self.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        assert_eq!(media_type, Some(MEDIA_TYPE), "not a problem: {self:?}");
        let problem: Problem = serde_json::from_str(&self.body).expect("a problem has the shape of one");
        assert_eq!(problem.status, self.status, "the problem's status is the answer's");
        assert_eq!(problem.status, problem.code.status(), "a code has one status");
        problem
    }

    /// That it is a problem of this code, which points there.
    ///
    /// # Panics
    /// If it is another.
    #[track_caller]
    pub fn is_problem(&self, code: ProblemCode, pointer: Option<&str>) -> Problem {
        let problem = self.problem();
        assert_eq!((problem.code, problem.pointer.as_deref()), (code, pointer), "{problem:?}");
        assert!(!problem.detail.is_empty(), "a problem says what to do: {problem:?}");
        problem
    }
}
