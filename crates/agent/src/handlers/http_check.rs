//! `http.check`: whether a service answers. One GET, to an address that the policy allows.

use serde::{Deserialize, Serialize};
use sortie_rules::tasks::Code;
use sortie_rules::time::Span;

use super::handler::{Failure, Output, Work};
use super::outgoing::{NoAnswer, Outgoing, Question, Target};
use crate::clock::Steady;

const TIMEOUT_DEFAULT: Span = Span::seconds(5);
const TIMEOUT_MAX: Span = Span::minutes(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    url: String,
    expect_status: Option<u16>,
    timeout_ms: Option<i64>,
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) async fn run(work: Work, outgoing: Outgoing) -> Result<Output, Failure> {
    let Payload { url, expect_status, timeout_ms } = work.read()?;
    let target = Target::read(&url).map_err(|why| Failure::Rejected {
        code: Code::new(Code::BAD_PAYLOAD),
        message: format!("`url` cannot be used: {why}"),
    })?;
    let began = Steady::now();
    let timeout = timeout_ms.map_or(TIMEOUT_DEFAULT, |ms| Span(ms.clamp(1, TIMEOUT_MAX.0)));
    let asking = outgoing.ask(&target, &work.policy.check_addresses, Question::default());
    let asked = tokio::select! {
        asked = tokio::time::timeout(timeout.to_std(), asking) => asked,
        () = work.stop.cancelled() => return Err(Failure::Cancelled),
    };
    let answer = match asked {
        Ok(Ok(answer)) => Ok(answer.status),
        Ok(Err(NoAnswer::Forbidden)) => {
            let message =
                format!("the policy of this site does not list {}:{} for http.check", target.host, target.port);
            return Err(Failure::forbidden(message));
        }
        Ok(Err(NoAnswer::NoConnection(why) | NoAnswer::Broken(why))) => Err(why),
        Ok(Err(NoAnswer::TooLarge)) => Err("the answer is too large".to_owned()),
        Err(_) => Err(format!("no answer within {timeout}")),
    };
    let good = |status: u16| expect_status.map_or((200..300).contains(&status), |expected| expected == status);
    Output::of(&Checked {
        ok: answer.as_ref().is_ok_and(|status| good(*status)),
        status: answer.as_ref().ok().copied(),
        ms: began.elapsed().0,
        error: answer.err(),
    })
}
