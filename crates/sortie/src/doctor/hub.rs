//! A person's or program's way to a hub: the line, then the token and the version.

use sortie_client::{ClientError, Connect};
use sortie_rules::time::{Millis, Span};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tokens::Whoami;

use super::check::Check;
use super::line::{Proxied, certificate, clock, reaches};
use super::way::{place, proxy};
use crate::context::Context;
use crate::exit::chain;
use crate::find_hub::Found;

/// Every check of the way to this hub.
pub(super) async fn checks(found: &Found, context: &Context) -> Vec<Check> {
    let mut checks = vec![Check::ok("hub", format!("{}, named by {}", found.hub, found.source))];
    let proxied = place(&found.hub)
        .and_then(|hub| proxy(&hub.host, &context.env))
        .map(|(variable, address)| Proxied { by: variable.to_owned(), address });
    if !reaches(&found.hub, proxied.as_ref(), &mut checks).await {
        let skip = |what| Check::skipped(what, "there is no connection");
        checks.extend(["certificate", "clock", "token", "version"].map(skip));
        return checks;
    }
    let answer = match context.open(found, Span::ZERO) {
        Ok(hub) => hub.whoami().await,
        Err(failure) => {
            checks.push(Check::bad(
                "authority",
                failure.to_string(),
                "check SORTIE_CA, or the authority of the profile (`sortie profile trust`)",
            ));
            return checks;
        }
    };
    let connect = Connect::new(found.hub.clone(), found.trust.clone(), context.clock.clone());
    let remedy = format!(
        "{}. If that issuer is your company's proxy, it inspects TLS: ask for an exception for the hub",
        found.source.remedy_for_another_issuer()
    );
    checks.push(certificate(&connect, &answer, &remedy).await);
    checks.extend(told(&answer, context.clock.now()));
    checks
}

/// What the hub's answer tells: clock, token, version.
fn told(answer: &Result<Whoami, ClientError>, now: Millis) -> Vec<Check> {
    let whoami = match answer {
        Ok(whoami) => whoami,
        Err(ClientError::Tls { .. } | ClientError::Unreachable { .. }) => {
            return ["clock", "token", "version"].map(|what| Check::skipped(what, "nothing was sent")).into();
        }
        Err(error) => {
            let failure = match error.problem() {
                Some(problem) if problem.code == ProblemCode::Unauthenticated => Check::bad(
                    "token",
                    problem.detail.clone(),
                    "check SORTIE_TOKEN; on the hub's machine use --data DIR; an admin can make a new token",
                ),
                Some(problem) => Check::bad("answer", problem.to_string(), "look into the hub's log"),
                None => Check::bad("answer", chain(error), "is this address the hub's?"),
            };
            return vec![failure];
        }
    };
    let token = format!("{}, with the role {}", whoami.name, whoami.role.as_str());
    vec![clock(whoami.now, now), Check::ok("token", token), version(&whoami.hub_version)]
}

fn version(hub: &str) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    if hub == own {
        Check::ok("version", format!("{own}, like the hub"))
    } else {
        let found = format!("this is {own}, the hub is {hub}");
        Check::look("version", found, "use the hub's version where a command is missing something")
    }
}
