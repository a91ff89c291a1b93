//! A proxy that inspects TLS can read what is said. It cannot enrol in the site's place, put its own keys in,
//! answer in the hub's place, or give an old answer again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::{Value, json};
use sortie_client::agent::HubLine;
use sortie_client::{ClientError, Connect, Doubt, Trust};
use sortie_wire::enrollment::{Enroll, Facts, Invite};
use sortie_wire::envelope::Signer;
use sortie_wire::keys::KeySet;
use sortie_wire::problem::{Problem, ProblemCode};
use stories::{As, RunningHub, Scene, Site, certificate_request, on_sqlite, until};

use crate::inspector::{Inspector, Passed, SiteAuthority};

on_sqlite!(
    what_an_inspector_reads_does_not_let_it_enrol_in_the_site_s_place,
    an_inspector_cannot_put_keys_of_its_own_into_an_enrolment,
    an_inspector_cannot_make_a_site_forget_its_results,
    an_inspector_cannot_give_an_old_answer_again,
    an_inspector_cannot_frighten_a_site_away,
    an_inspector_that_answers_from_the_first_request_on_is_not_believed,
);

struct Behind<'s> {
    hub: RunningHub<'s>,
    inspector: Inspector,
    authority: SiteAuthority,
}

async fn behind(scene: &Scene) -> Behind<'_> {
    let plan = scene.hub();
    let authority = SiteAuthority::new();
    let inspector = Inspector::before(&plan.url(), &authority).await;
    let hub = plan.setting("url", inspector.url()).start().await;
    Behind { hub, inspector, authority }
}

impl<'s> Behind<'s> {
    fn site(&self, name: &str) -> Site<'s> {
        let scene = self.hub.scene();
        Site::new(scene, name).setting("ca_file", self.authority.file(scene.folder()).display())
    }

    /// Comes in as an agent does, through the inspector.
    async fn enroll(&self, invite: &Invite) -> Result<(), ClientError> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let request = Enroll { certificate_request: certificate_request(&key), facts: Facts::default() };
        let trust = Trust::Pem(self.authority.pem.clone());
        let connect = Connect { trust, hub: invite.hub.clone(), ..self.hub.connect() };
        HubLine::open(&connect).unwrap().enroll(invite, &request, "n0nce").await.map(drop)
    }
}

async fn what_an_inspector_reads_does_not_let_it_enrol_in_the_site_s_place(scene: Scene) {
    let behind = behind(&scene).await;
    let text = behind.hub.invite("north").await;
    let invite: Invite = text.parse().unwrap();
    // It keeps the enrolment to itself, and tries with a key of its own.
    behind.inspector.meddle(|_, _, _| Passed { status: 502, headers: Vec::new(), body: Vec::new() });
    let site = behind.site("north");
    assert_ne!(site.enroll(&text).code, Some(0));
    behind.inspector.behave();
    let seen = behind.inspector.seen();
    let heard = seen.iter().find(|exchange| exchange.line.contains("/enroll")).expect("it went through").clone();
    assert!(!heard.authorization.contains(&invite.secret), "the secret is not said");
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let facts = json!({ "version": "", "os": "", "arch": "", "hostname": "" });
    let body = json!({ "certificate_request": certificate_request(&key), "facts": facts });
    let tried = behind.hub.request(http::Method::POST, "/agent/v1/enroll").from(As::Nobody);
    tried
        .header("authorization", &heard.authorization)
        .json(&body)
        .send()
        .await
        .is_problem(ProblemCode::AssertionInvalid, None);
    // The site itself comes again, with the same key, and gets what it was due.
    site.enroll(&text).well();
    assert_eq!(behind.hub.events("node.enrolled").await.len(), 1);
}

async fn an_inspector_cannot_put_keys_of_its_own_into_an_enrolment(scene: Scene) {
    let behind = behind(&scene).await;
    let own = Signer::from_pkcs8(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_der()).unwrap();
    let keys = KeySet { version: 9, keys: vec![own.public_key()], ..KeySet::default() };
    let (own_chain, _) = behind.authority.certificate();
    let (forged_keys, kept) = (keys.clone(), AtomicU32::new(0));
    behind.inspector.meddle(move |before, line, passed| {
        if !line.contains("/enroll") || passed.status != 200 {
            return passed;
        }
        let mut body: Value = serde_json::from_slice(&passed.body).unwrap();
        let mut headers = passed.headers.clone();
        match kept.fetch_add(1, Ordering::SeqCst) {
            0 => body["keys"] = serde_json::to_value(&forged_keys).unwrap(),
            1 => body["chain"] = json!(own_chain),
            2 => headers.retain(|(name, _)| name != "sortie-signature"),
            // The true answer to somebody else.
            3 => return before.iter().rev().find(|seen| seen.line.contains("/enroll")).unwrap().answer.clone(),
            _ => return passed,
        }
        Passed { headers, body: body.to_string().into_bytes(), ..passed }
    });
    let invite: Invite = behind.hub.invite("south").await.parse().unwrap();
    for what in ["keys", "chain", "signature", "answer"] {
        let invite: Invite = behind.hub.invite(&format!("north-{what}")).await.parse().unwrap();
        let refused = behind.enroll(&invite).await.expect_err(what);
        assert!(matches!(refused, ClientError::Unproven { .. }), "{what}: {refused:?}");
    }
    behind.enroll(&invite).await.expect("what is left alone is believed");
    let other = Invite { ca: "0".repeat(64), ..behind.hub.invite("west").await.parse().unwrap() };
    let refused = behind.enroll(&other).await.unwrap_err();
    assert!(matches!(refused, ClientError::Unproven { doubt: Doubt::NotEndorsed(_), .. }), "{refused:?}");
}

/// It answers that results were taken, and passes none on.
async fn an_inspector_cannot_make_a_site_forget_its_results(scene: Scene) {
    let behind = behind(&scene).await;
    let site = behind.site("north");
    site.enroll(&behind.hub.invite("north").await).well();
    let _agent = site.start();
    works(&behind.hub).await;
    let swallowed = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&swallowed);
    let id = behind.hub.submit("north", "sleep", json!({ "ms": 1000 })).await;
    behind.inspector.meddle(move |_, line, passed| {
        if !line.contains("/results") {
            return passed;
        }
        count.fetch_add(1, Ordering::SeqCst);
        let receipts = json!({ "receipts": [{ "task": id, "run": 1 }] }).to_string();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Passed { status: 200, headers, body: receipts.into_bytes() }
    });
    until("it has answered in the hub's place twice", async || (swallowed.load(Ordering::SeqCst) >= 2).then_some(()))
        .await;
    let log = site.log();
    assert!(log.contains("has not proved to be the hub"), "{log}");
    behind.inspector.behave();
    assert_eq!(behind.hub.ended(id).await.summary.status.as_str(), "completed");
    works(&behind.hub).await;
}

async fn an_inspector_cannot_give_an_old_answer_again(scene: Scene) {
    let behind = behind(&scene).await;
    let site = behind.site("north");
    site.enroll(&behind.hub.invite("north").await).well();
    let _agent = site.start();
    works(&behind.hub).await;
    let replays = Arc::new(AtomicBool::new(false));
    let replayed = Arc::clone(&replays);
    behind.inspector.meddle(move |before, line, passed| {
        let old = before.iter().find(|seen| {
            seen.line.contains("/tasks/wait")
                && line.contains("/tasks/wait")
                && seen.answer.status == 200
                && seen.authorization.starts_with("Assertion")
        });
        match old {
            Some(old) => {
                replayed.store(true, Ordering::SeqCst);
                old.answer.clone()
            }
            None => passed,
        }
    });
    // The wait that is held is answered by this one.
    behind.hub.submit("north", "sys.info", json!({})).await;
    until("an old answer was given", async || replays.load(Ordering::SeqCst).then_some(())).await;
    until("it is not believed", async || site.log().contains("has not proved to be the hub").then_some(())).await;
    behind.inspector.behave();
    works(&behind.hub).await;
}

/// Answers that no key has signed are read by people, and nothing is done upon them.
async fn an_inspector_cannot_frighten_a_site_away(scene: Scene) {
    let behind = behind(&scene).await;
    let site = behind.site("north").setting("proof", "assertion");
    site.enroll(&behind.hub.invite("north").await).well();
    behind.inspector.meddle(|_, line, passed| {
        if !line.contains("/agent/v1/nodes/") {
            return passed;
        }
        let problem = Problem::new(ProblemCode::CertificateRevoked, "An operator revoked this node.");
        let headers = vec![("content-type".to_owned(), "application/problem+json".to_owned())];
        Passed { status: problem.status, headers, body: serde_json::to_vec(&problem).unwrap() }
    });
    let _agent = site.start();
    until("it says what it was told", async || site.log().contains("An operator revoked this node").then_some(()))
        .await;
    let log = site.log();
    assert!(log.contains("has not proved to be the hub") && !log.contains("does not take this node any more"), "{log}");
    behind.inspector.behave();
    works(&behind.hub).await;
}

/// A site that chooses its proof by itself shows its certificate first, and not to somebody else.
async fn an_inspector_that_answers_from_the_first_request_on_is_not_believed(scene: Scene) {
    let behind = behind(&scene).await;
    let site = behind.site("north");
    site.enroll(&behind.hub.invite("north").await).well();
    let forged = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&forged);
    behind.inspector.meddle(move |_, line, passed| {
        if !line.contains("/agent/v1/nodes/") {
            return passed;
        }
        count.fetch_add(1, Ordering::SeqCst);
        let problem = Problem::new(ProblemCode::CertificateRevoked, "An operator revoked this node.");
        let headers = vec![("content-type".to_owned(), "application/problem+json".to_owned())];
        Passed { status: problem.status, headers, body: serde_json::to_vec(&problem).unwrap() }
    });
    let _agent = site.start();
    until("it was answered in the hub's place twice", async || (forged.load(Ordering::SeqCst) >= 2).then_some(()))
        .await;
    until("it says so", async || site.log().contains("has not proved to be the hub").then_some(())).await;
    let log = site.log();
    assert!(!log.contains("does not take this node any more"), "{log}");
    let seen = behind.inspector.seen();
    let mut asked = seen.iter().filter(|exchange| exchange.line.contains("/agent/v1/nodes/"));
    assert!(asked.all(|exchange| exchange.authorization.starts_with("Assertion")), "each answer must be signed");
    behind.inspector.behave();
    works(&behind.hub).await;
}

async fn works(hub: &RunningHub<'_>) {
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}
