//! An agent's data folder, and its way to its hub: identity, certificate, policy, then the line as
//! the agent itself would take it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sortie_agent::{
    BUILTIN_TYPES, DEFAULT_TOML, Identity, IdentityError, LedgerCounts, Policy, Settings, count_ledger,
    unusable_programs,
};
use sortie_client::agent::{Choice, HubLine, NodeProof};
use sortie_client::{ClientError, Clock, Connect, Proxy, SetupError};
use sortie_rules::config::{known_keys, load};
use sortie_rules::ids::{DEFAULT_ORG, Id};
use sortie_rules::proofs::Proof;
use sortie_rules::renewals::{Life, renewal_due};
use sortie_rules::time::Millis;
use sortie_wire::deliveries::SignedTime;
use sortie_wire::envelope::{TIME, Verifier};
use sortie_wire::heartbeat::Heartbeat;
use sortie_wire::key_chain::follow;
use sortie_wire::problem::ProblemCode;

use super::check::Check;
use super::line::{Proxied, certificate, clock, reaches};
use super::way::{place, proxy};
use crate::context::Context;
use crate::exit::chain;
use crate::output::{moment, utc};

/// Every check of this folder, and of the way from here to its hub.
pub(super) async fn checks(folder: &Path, context: &Context) -> Vec<Check> {
    let identity = match Identity::load(folder) {
        Ok(identity) => identity,
        Err(IdentityError::NotEnrolled(folder)) => {
            let found = format!("{} is the data folder neither of a hub nor of an enrolled agent", folder.display());
            let remedy = "on the hub's machine: `sortie invite create --node NAME`; here: `sortie agent enroll`";
            return vec![Check::bad("identity", found, remedy)];
        }
        Err(error) => return vec![Check::bad("identity", chain(&error), "restore the folder from a backup")],
    };
    let now = context.clock.now();
    let mut checks = vec![
        Check::ok("identity", format!("{} ({}), of {}", identity.name(), identity.node(), identity.hub())),
        life(identity.certificate_life(), now),
        ledger(folder),
    ];
    let settings = match settings(folder) {
        Ok(settings) => settings,
        Err(why) => {
            checks.push(Check::bad("settings", why, "`sortie agent run --print-config` shows every setting"));
            return checks;
        }
    };
    checks.extend(policy(&settings.policy_path()));
    checks.extend(way(&identity, &settings, context).await);
    checks
}

fn life((from, until): (Millis, Millis), now: Millis) -> Check {
    let due = renewal_due(Life { from, until }, None, 0);
    if now > until {
        let remedy = "run the agent: it may still renew with its key; else enrol it with an invite made with --replace";
        Check::bad("identity", format!("its certificate ended at {}", utc(until)), remedy)
    } else if now > due {
        let found = format!("its certificate ends {}; it was due for renewal at {}", moment(now, until), utc(due));
        Check::look("identity", found, "is the agent running? It renews by itself")
    } else {
        Check::ok("identity", format!("its certificate holds until {}, renewed from {}", utc(until), utc(due)))
    }
}

fn ledger(folder: &Path) -> Check {
    match count_ledger(folder) {
        Ok(None) => Check::ok("ledger", "in use: the agent is running"),
        Ok(Some(LedgerCounts { accepted, started, done, reported })) => {
            let found =
                format!("{accepted} tasks waiting, {started} begun, {done} results to report, {reported} reported");
            if accepted + started + done == 0 {
                return Check::ok("ledger", found);
            }
            Check::look("ledger", format!("{found}; the agent is not running"), "run it: sortie agent run")
        }
        Err(error) => Check::bad("ledger", chain(&error), "is the folder the agent's own, and has its disk room?"),
    }
}

fn settings(folder: &Path) -> Result<Settings, String> {
    let file = folder.join("agent.toml");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
    };
    let keys = known_keys(DEFAULT_TOML);
    let known: Vec<&str> = keys.iter().map(String::as_str).collect();
    // The variables are those of the agent's own process, which this is not.
    let settings: Settings = load(&text, &file.display().to_string(), std::iter::empty(), "SORTIE_AGENT_", &known)
        .map_err(|error| error.to_string())?;
    Ok(Settings { data: folder.to_owned(), ..settings })
}

fn policy(file: &Path) -> Vec<Check> {
    let policy = match Policy::read(file) {
        Ok(policy) => policy,
        Err(error) => {
            return vec![Check::bad("policy", chain(&error), "until it is mended the agent refuses everything")];
        }
    };
    let types = policy.types(BUILTIN_TYPES.iter().copied());
    let lets_run = Check::ok("policy", format!("{} lets run: {}", file.display(), types.join(" ")));
    // The doctor may be another user than the agent: what it finds deserves a look and no more.
    let programs = unusable_programs(&policy).into_iter().map(|(table, why)| {
        let what = match table.split_once('.').map_or(table.as_str(), |(first, _)| first) {
            "[appliers" => "its resources",
            "[reports" => "its reports",
            "[desired_services" => "its services",
            _ => "its tasks",
        };
        let remedy = format!("until that is mended, {what} fail (looked at as this user)");
        Check::look("program", format!("{table}: {why}"), remedy)
    });
    std::iter::once(lets_run).chain(programs).collect()
}

async fn way(identity: &Identity, settings: &Settings, context: &Context) -> Vec<Check> {
    let chosen = settings.proxy.to_proxy();
    let proxied = match &chosen {
        Proxy::Direct => None,
        Proxy::At { url, .. } => Some(Proxied { by: "proxy.url of agent.toml".to_owned(), address: url.clone() }),
        Proxy::Environment => place(identity.hub())
            .and_then(|hub| proxy(&hub.host, &context.env))
            .map(|(variable, address)| Proxied { by: variable.to_owned(), address }),
    };
    let mut checks = Vec::new();
    if !reaches(identity.hub(), proxied.as_ref(), &mut checks).await {
        let skip = |what| Check::skipped(what, "there is no connection");
        checks.extend(["certificate", "clock", "proof", "admission"].map(skip));
        return checks;
    }
    let connect = Connect {
        proxy: chosen,
        also_trust: settings.ca_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()),
        also_system: settings.ca_system,
        identity: Some(identity.proof()),
        ..Connect::new(identity.hub(), identity.trust(), context.clock.clone())
    };
    let opened = HubLine::open(&connect).and_then(|line| Ok((line, proof_of(identity, settings, context)?)));
    let (line, proof) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            checks.push(Check::bad("identity", chain(&error), "restore the folder `identity` from a backup"));
            return checks;
        }
    };
    let keys = line.keys(identity.keys().version).await;
    let remedy = "if that issuer is your company's proxy, it inspects TLS: ask for an exception for the hub, or name \
                  the proxy's authority with `ca_file` (or ca_system = true) in agent.toml. If the hub's own authority \
                  was rotated, the agent follows by itself when it runs";
    checks.push(certificate(&connect, &keys, remedy).await);
    let time = match keys {
        Ok(chain) => {
            let newest = follow(identity.keys(), &chain).set;
            Verifier::new(&newest).ok().zip(line.time(&context.entropy.hex()).await.ok())
        }
        Err(_) => None,
    };
    let message = time.and_then(|(verifier, envelope)| verifier.open(&envelope, TIME).ok());
    let mut off = 0;
    match message.and_then(|message| serde_json::from_slice::<SignedTime>(&message).ok()) {
        Some(signed) => {
            let here = context.clock.now();
            off = signed.now.0 - here.0;
            checks.push(clock(signed.now, here));
        }
        None => checks.push(Check::skipped("clock", "the hub has not told its time")),
    }
    // The agent asks by the hub's time, and so does this.
    let local = context.clock.clone();
    let connect = Connect { clock: Clock::new(move || Millis(local.now().0 + off)), ..connect };
    let (admission, used) = match HubLine::proving(&connect, proof) {
        Ok(line) => (admission(&line).await, line.proof()),
        Err(error) => {
            (Check::bad("admission", chain(&error), "restore the folder `identity` from a backup"), Proof::Certificate)
        }
    };
    checks.push(chosen_proof(used, settings.proof, &admission));
    checks.push(admission);
    checks
}

fn proof_of(identity: &Identity, settings: &Settings, context: &Context) -> Result<NodeProof, SetupError> {
    let verifier = Arc::new(Verifier::new(identity.keys()).map_err(|error| SetupError::Identity(error.to_string()))?);
    Ok(NodeProof {
        node: identity.node(),
        hub_id: identity.hub_id().to_owned(),
        key_pem: identity.proof().key_pem,
        choice: settings.proof,
        keys: Arc::new(move || Arc::clone(&verifier)),
        entropy: context.entropy.clone(),
    })
}

/// With what the agent proves who it is, once the hub was asked.
fn chosen_proof(used: Proof, choice: Choice, admission: &Check) -> Check {
    if admission.is_skipped() {
        return Check::skipped("proof", "there is no secure connection");
    }
    match (used, choice) {
        (Proof::Certificate, _) => Check::ok("proof", "certificate: that of the connection arrives at the hub"),
        (Proof::Assertion, Choice::Assertion) => Check::ok("proof", "assertion, as `proof` of agent.toml says"),
        (Proof::Assertion, _) => Check::ok(
            "proof",
            "assertion: something on the way opens connections, so that no certificate arrives; set proof = \
             \"assertion\" to ask with it from the start",
        ),
    }
}

/// How often admission is asked for, and how long after a try the next begins.
const TRIES_MAX: u32 = 4;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

fn code(error: &ClientError) -> Option<ProblemCode> {
    error.problem().map(|problem| problem.code)
}

/// Whether the hub takes this agent's proof: it is shown with a question about a node that does not
/// exist. "That is not you" means that it knows who we are; a true question would be a sign of life.
async fn admission(line: &HubLine) -> Check {
    let nobody = Heartbeat { boot: Id::from_uuid(DEFAULT_ORG.uuid()), held: Vec::new() };
    let mut tries = 0;
    let error = loop {
        tries += 1;
        match line.heartbeat(Id::from_uuid(DEFAULT_ORG.uuid()), &nobody).await {
            Ok(_) => return Check::ok("admission", "the hub lets this agent in"),
            // A hub that has just begun cannot tell which assertions were used, and soon can.
            Err(error) if tries < TRIES_MAX && code(&error) == Some(ProblemCode::AssertionUntimely) => {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            Err(error) => break error,
        }
    };
    match (&error, code(&error)) {
        (_, Some(ProblemCode::NodeMismatch)) => Check::ok("admission", "the hub knows this agent and lets it in"),
        (_, Some(ProblemCode::NodeQuarantined)) => {
            let remedy = "on the hub's side, if this is the only agent with its key: `sortie node readmit NAME`";
            Check::bad("admission", error.to_string(), remedy)
        }
        (_, Some(ProblemCode::CertificateRevoked)) => {
            let remedy = "an administrator shut it out; a new invite made with --replace lets it in again";
            Check::bad("admission", error.to_string(), remedy)
        }
        (ClientError::Problem { .. }, Some(ProblemCode::Unauthenticated)) => {
            let remedy =
                "something on the way opens connections; set proof = \"assertion\" (or \"auto\") in agent.toml";
            Check::bad("admission", error.to_string(), remedy)
        }
        (ClientError::Problem { .. }, _) => Check::bad("admission", error.to_string(), "look into the hub's log"),
        (ClientError::Unproven { .. }, _) => {
            Check::bad("admission", error.to_string(), "whatever stands between must pass answers on as they are")
        }
        _ => Check::skipped("admission", "there is no secure connection"),
    }
}
