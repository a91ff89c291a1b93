//! Local services as handlers: the payload is posted to the address that the policy names, any 2xx is
//! success (F-24), and the body of the answer is the result.

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;
use sortie_rules::limits::RESULT_INLINE_BYTES_MAX;
use sortie_rules::tasks::Code;

use super::handler::{Failure, Output, Work};
use super::outgoing::{Answer, NoAnswer, Outgoing, Question, Target};
use crate::policy::Service;

/// Largest file of headers, in bytes.
const HEADERS_BYTES_MAX: usize = 16 << 10;

/// Posts the payload of a task and takes the answer as its result.
pub(crate) async fn run(work: Work, service: Service, outgoing: Outgoing) -> Result<Output, Failure> {
    let failed = |code, message: String, retry| Err(Failure::failed(code, message, retry));
    let target = Target::read(&service.url)
        .map_err(|why| Failure::failed(Code::SERVICE_UNREACHABLE, format!("`url` of the policy: {why}"), false))?;
    let place = format!("{}:{}", target.host, target.port);
    let question = Question {
        method: Method::POST,
        headers: headers(&work, &service)?,
        body: Bytes::copy_from_slice(work.payload.get().as_bytes()),
        answer_bytes_max: RESULT_INLINE_BYTES_MAX,
    };
    let asking = outgoing.ask(&target, &service.allowed, question);
    let asked = tokio::select! {
        asked = tokio::time::timeout(service.wall.to_std(), asking) => asked,
        () = work.stop.cancelled() => return Err(Failure::Cancelled),
    };
    match asked {
        Ok(Ok(answer)) => judge(&work, &answer, &place),
        Ok(Err(NoAnswer::Forbidden)) => {
            let message = format!("{place} is an address that the policy does not allow for this handler");
            Err(Failure::forbidden(message))
        }
        Ok(Err(NoAnswer::NoConnection(why))) => {
            failed(Code::SERVICE_UNREACHABLE, format!("{place} cannot be reached: {why}"), true)
        }
        // It may have done its work: only what may be repeated is tried again.
        Ok(Err(NoAnswer::Broken(why))) => {
            failed(Code::SERVICE_UNREACHABLE, format!("{place} did not answer: {why}"), work.idempotent)
        }
        Ok(Err(NoAnswer::TooLarge)) => {
            let message = format!("the answer has more than {RESULT_INLINE_BYTES_MAX} bytes");
            failed(Code::RESULT_TOO_LARGE, message, false)
        }
        Err(_) => {
            let message = format!("{place} did not answer within {}", service.wall);
            failed(Code::OVER_WALL_TIME, message, work.idempotent)
        }
    }
}

fn judge(work: &Work, answer: &Answer, place: &str) -> Result<Output, Failure> {
    let status = answer.status;
    work.log.write(format!("{place} answered with status {status} and {} bytes\n", answer.body.len()).as_bytes());
    match status {
        200..=299 => result(&answer.body),
        300..=399 => {
            let message = format!("{place} answered with a redirect ({status}), which is not followed");
            Err(Failure::failed(Code::SERVICE_REFUSED, message, false))
        }
        _ => {
            let words = work.log.masked(&answer.body[..answer.body.len().min(200)]);
            let message = format!("{place} answered with status {status}: {words}");
            Err(Failure::failed(Code::SERVICE_REFUSED, message, is_worth_another_try(status, work.idempotent)))
        }
    }
}

/// 408, 425, 429 and 503 say that nothing was done; other faults of a server leave it open.
fn is_worth_another_try(status: u16, idempotent: bool) -> bool {
    matches!(status, 408 | 425 | 429 | 503) || (status >= 500 && idempotent)
}

fn result(body: &[u8]) -> Result<Output, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Output::of(&());
    }
    let invalid = |why: String| Failure::failed(Code::OUTPUT_INVALID, format!("the answer is no result: {why}"), false);
    let text = std::str::from_utf8(body).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    serde_json::from_str::<Box<RawValue>>(text.trim())
        .map(Output::json)
        .map_err(|error| invalid(format!("it is not JSON (line {}, column {})", error.line(), error.column())))
}

fn headers(work: &Work, service: &Service) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let ours = [
        ("sortie-task-id", work.task.to_string()),
        ("sortie-task-type", work.type_name.clone()),
        ("sortie-run", work.run.to_string()),
        ("sortie-attempt", work.attempt.to_string()),
        ("traceparent", work.traceparent.clone().unwrap_or_default()),
    ];
    for (name, value) in ours.into_iter().filter(|(_, value)| !value.is_empty()) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let Some(file) = &service.headers_file else { return Ok(headers) };
    let fault = |why: String| {
        Failure::failed(Code::HANDLER_FAILED, format!("headers_file of the policy, {}: {why}", file.display()), false)
    };
    let text = std::fs::read_to_string(file).map_err(|error| fault(error.to_string()))?;
    if text.len() > HEADERS_BYTES_MAX {
        return Err(fault(format!("it has more than {HEADERS_BYTES_MAX} bytes")));
    }
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || fault(format!("line {} is not `Name: value`", index + 1));
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_have_been_done_twice_is_tried_again() {
        for (status, idempotent, retried) in
            [(503, false, true), (429, false, true), (500, false, false), (500, true, true), (404, true, false)]
        {
            assert_eq!(is_worth_another_try(status, idempotent), retried, "{status}");
        }
    }
}
