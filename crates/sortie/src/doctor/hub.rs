//! Looks at the way to a hub, as far as it goes.

use std::net::SocketAddr;
use std::time::Duration;

use sortie_client::tls::Presented;
use sortie_client::{ClientError, Trust};
use sortie_rules::redaction::redact;
use sortie_rules::time::{Millis, Span};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tokens::Whoami;

use super::check::Check;
use super::way::{Place, place, proxy};
use crate::context::Context;
use crate::exit::chain;
use crate::find_hub::Found;
use crate::output::utc;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);
/// A clock that is further off is worth a look; certificates and deliveries bear five minutes.
const SKEW_LOOK: Span = Span::seconds(30);
const SKEW_BAD: Span = Span::minutes(5);

/// Every check of the way to this hub.
pub(super) async fn checks(found: &Found, context: &Context) -> Vec<Check> {
    let mut checks = vec![Check::ok("hub", format!("{}, named by {}", found.hub, found.source))];
    let Some(hub) = place(&found.hub).filter(|_| found.hub.starts_with("https://")) else {
        let remedy = "it looks like https://hub.example:8443";
        return vec![Check::bad("hub", format!("`{}` is not a hub's address", found.hub), remedy)];
    };
    let proxied = proxy(&hub.host, &context.env).is_some();
    let first_stop = match proxy(&hub.host, &context.env) {
        None => {
            checks.push(Check::ok("proxy", "none in the way"));
            hub
        }
        Some((variable, address)) => {
            let shown = redact(&address).into_owned();
            let Some(place) = place(&address) else {
                let remedy = format!("mend {variable}: it looks like http://proxy.example:3128");
                checks.push(Check::bad("proxy", format!("{variable} is `{shown}`, which is no address"), remedy));
                return checks;
            };
            checks.push(Check::ok("proxy", format!("{shown}, as {variable} says")));
            place
        }
    };
    if !connects(&first_stop, proxied, &mut checks).await {
        let skip = |what| Check::skipped(what, "there is no connection");
        checks.extend(["certificate", "clock", "token", "version"].map(skip));
        return checks;
    }
    let presented = presented(found, context).await;
    let answer = match context.open(found, Span::ZERO) {
        Ok(hub) => hub.whoami().await,
        Err(failure) => {
            checks.push(Check::bad("authority", failure.to_string(), "check SORTIE_CA, or `ca` of the profile"));
            return checks;
        }
    };
    checks.push(certificate(presented.as_ref(), &answer, found));
    checks.extend(told(&answer, context.clock.now()));
    checks
}

/// Looks up the name and opens a connection, and says how far it came.
async fn connects(to: &Place, proxied: bool, checks: &mut Vec<Check>) -> bool {
    let name = format!("{}:{}", to.host, to.port);
    let lookup = tokio::time::timeout(LOOK, tokio::net::lookup_host((to.host.as_str(), to.port))).await;
    let addresses: Vec<SocketAddr> = match lookup {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            let remedy = "check the name, and this machine's DNS (/etc/resolv.conf)";
            checks.push(Check::bad("name", format!("{} is not known: {error}", to.host), remedy));
            return false;
        }
        Err(_) => {
            let remedy = "this machine's DNS does not answer (/etc/resolv.conf)";
            checks.push(Check::bad("name", format!("{} was not found within {LOOK:?}", to.host), remedy));
            return false;
        }
    };
    let listed = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>();
    checks.push(Check::ok("name", format!("{} is {}", to.host, listed.join(", "))));
    let (found, remedy) = match tokio::time::timeout(LOOK, tokio::net::TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => {
            checks.push(Check::ok("connection", format!("{name} takes connections")));
            return true;
        }
        Ok(Err(error)) if proxied => (
            format!("{name}: {error}"),
            "is that proxy right? If the hub can be reached without it, name the hub in NO_PROXY",
        ),
        Ok(Err(error)) => (format!("{name}: {error}"), "is the hub running, and is this its port?"),
        Err(_) => (
            format!("{name} did not answer within {LOOK:?}"),
            "a firewall swallows the packets: let this machine out to that port, or set HTTPS_PROXY",
        ),
    };
    checks.push(Check::bad("connection", found, remedy));
    false
}

/// The certificate that is shown there, whoever it belongs to: asked for with a trust that nothing
/// meets, so that nothing is ever sent.
async fn presented(found: &Found, context: &Context) -> Option<Presented> {
    let curious = Found { trust: Trust::Fingerprint("0".repeat(64)), ..found.clone() };
    match context.open(&curious, Span::ZERO).ok()?.whoami().await {
        Err(ClientError::Tls { fault, .. }) => fault.presented().cloned(),
        _ => None,
    }
}

fn certificate(shown: Option<&Presented>, answer: &Result<Whoami, ClientError>, found: &Found) -> Check {
    let whose = shown.map_or_else(
        || "of unknown issue".to_owned(),
        |shown| format!("{}, issued by {}, until {}", shown.subject, shown.issuer, utc(shown.not_after)),
    );
    match answer {
        Err(ClientError::Tls { fault, .. }) if fault.is_about_dates() => {
            Check::bad("certificate", fault.to_string(), "set this machine's clock")
        }
        Err(ClientError::Tls { fault, .. }) => Check::bad(
            "certificate",
            format!("{fault} ({whose})"),
            "if that issuer is your company's proxy, it inspects TLS: ask for an exception for the hub. \
             Else take ca.pem from the hub's data folder again",
        ),
        Err(error @ ClientError::Unreachable { .. }) => Check::bad(
            "certificate",
            chain(error),
            "if a proxy is in the way, does it let CONNECT through to this port?",
        ),
        _ => {
            let believed = match found.trust {
                Trust::System => "believed by this machine's authorities",
                Trust::Pem(_) => "vouched for by the authority you gave",
                Trust::Fingerprint(_) => "with the fingerprint you gave",
            };
            Check::ok("certificate", format!("{whose}; {believed}"))
        }
    }
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
    vec![clock(whoami.now, now), token(whoami), version(&whoami.hub_version)]
}

fn token(whoami: &Whoami) -> Check {
    Check::ok("token", format!("{}, with the role {}", whoami.name, whoami.role.as_str()))
}

fn clock(hub: Millis, here: Millis) -> Check {
    let (ahead, behind) = (here.since(hub), hub.since(here));
    let skew = ahead.max(behind);
    let direction = if ahead > behind { "ahead of" } else { "behind" };
    let found = format!("{} s {direction} the hub's", skew.0 / 1000);
    let remedy = "set this machine's clock (timedatectl set-ntp true)";
    match skew {
        skew if skew >= SKEW_BAD => Check::bad("clock", found, remedy),
        skew if skew >= SKEW_LOOK => Check::look("clock", found, remedy),
        _ => Check::ok("clock", "agrees with the hub's"),
    }
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

#[cfg(test)]
mod tests {
    use super::super::check::Verdict;
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        let at = |seconds| clock(Millis(0) + Span::seconds(1000), Millis(0) + Span::seconds(seconds)).verdict;
        assert_eq!(at(1010), Verdict::Ok);
        assert_eq!(at(1040), Verdict::Look);
        assert_eq!(at(100), Verdict::Bad);
        assert!(clock(Millis(0), Millis(60_000)).found.contains("60 s ahead of"));
    }
}
