//! Looks at the line to a hub, as far as it goes: proxy, name, connection, certificate. It is the
//! same for people and for agents; what is said over the line afterwards differs.

use std::net::SocketAddr;
use std::time::Duration;

use sortie_client::agent::HubLine;
use sortie_client::tls::Presented;
use sortie_client::{ClientError, Connect, Trust};
use sortie_rules::redaction::redact;
use sortie_rules::time::{Millis, Span};

use super::check::Check;
use super::way::{Place, place};
use crate::exit::chain;
use crate::output::utc;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);
/// A clock that is further off is worth a look; certificates and deliveries bear five minutes.
const SKEW_LOOK: Span = Span::seconds(30);
const SKEW_BAD: Span = Span::minutes(5);

/// A proxy in the way, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxied {
    pub(super) by: String,
    pub(super) address: String,
}

/// Looks up the name and opens a connection, to the proxy if there is one. Says whether that came off.
pub(super) async fn reaches(hub: &str, proxied: Option<&Proxied>, checks: &mut Vec<Check>) -> bool {
    let Some(target) = place(hub).filter(|_| hub.starts_with("https://")) else {
        let remedy = "it looks like https://hub.example:8443";
        checks.push(Check::bad("address", format!("`{hub}` is not a hub's address"), remedy));
        return false;
    };
    let first_stop = match proxied {
        None => {
            checks.push(Check::ok("proxy", "none in the way"));
            target
        }
        Some(Proxied { by, address }) => {
            let shown = redact(address).into_owned();
            let Some(place) = place(address) else {
                let remedy = format!("mend {by}: it looks like http://proxy.example:3128");
                checks.push(Check::bad("proxy", format!("{by} is `{shown}`, which is no address"), remedy));
                return false;
            };
            checks.push(Check::ok("proxy", format!("{shown}, as {by} says")));
            place
        }
    };
    match look_up(&first_stop, checks).await {
        Some(addresses) => connects(&first_stop, &addresses, proxied.is_some(), checks).await,
        None => false,
    }
}

async fn look_up(to: &Place, checks: &mut Vec<Check>) -> Option<Vec<SocketAddr>> {
    let lookup = tokio::time::timeout(LOOK, tokio::net::lookup_host((to.host.as_str(), to.port))).await;
    let (found, remedy) = match lookup {
        Ok(Ok(addresses)) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            let listed = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>();
            checks.push(Check::ok("name", format!("{} is {}", to.host, listed.join(", "))));
            return Some(addresses);
        }
        Ok(Err(error)) => {
            (format!("{} is not known: {error}", to.host), "check the name, and this machine's DNS (/etc/resolv.conf)")
        }
        Err(_) => (
            format!("{} was not found within {LOOK:?}", to.host),
            "this machine's DNS does not answer (/etc/resolv.conf)",
        ),
    };
    checks.push(Check::bad("name", found, remedy));
    None
}

async fn connects(to: &Place, addresses: &[SocketAddr], proxied: bool, checks: &mut Vec<Check>) -> bool {
    let name = format!("{}:{}", to.host, to.port);
    let (found, remedy) = match tokio::time::timeout(LOOK, tokio::net::TcpStream::connect(addresses)).await {
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

/// What is said of the certificate, given how the first call went, and what to do where it comes from an authority
/// that is not believed.
pub(super) async fn certificate<T>(connect: &Connect, answer: &Result<T, ClientError>, remedy: &str) -> Check {
    let shown = presented(connect).await;
    let whose = shown.map_or_else(
        || "of unknown issue".to_owned(),
        |shown| format!("{}, issued by {}, until {}", shown.subject, shown.issuer, utc(shown.not_after)),
    );
    match answer {
        Err(ClientError::Tls { fault, .. }) if fault.is_about_dates() => {
            Check::bad("certificate", fault.to_string(), "set this machine's clock")
        }
        Err(ClientError::Tls { fault, .. }) => Check::bad("certificate", format!("{} ({whose})", fault.fact()), remedy),
        Err(error @ ClientError::Unreachable { .. }) => {
            let remedy = "if a proxy is in the way, does it let CONNECT through to this port?";
            Check::bad("certificate", chain(error), remedy)
        }
        _ => {
            let believed = match connect.trust {
                Trust::System => "believed by this machine's authorities",
                Trust::Pem(_) => "vouched for by the authority that is trusted here",
                Trust::Fingerprint(_) => "with the fingerprint that is trusted here",
            };
            Check::ok("certificate", format!("{whose}; {believed}"))
        }
    }
}

/// The certificate that is shown there, whoever it belongs to: asked for with a trust that nothing
/// meets, so that nothing is ever sent.
async fn presented(connect: &Connect) -> Option<Presented> {
    let curious = Connect { trust: Trust::Fingerprint("0".repeat(64)), also_trust: None, ..connect.clone() };
    match HubLine::open(&curious).ok()?.keys(0).await {
        Err(ClientError::Tls { fault, .. }) => fault.presented().cloned(),
        _ => None,
    }
}

/// How this machine's clock agrees with the hub's.
pub(super) fn clock(hub: Millis, here: Millis) -> Check {
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
