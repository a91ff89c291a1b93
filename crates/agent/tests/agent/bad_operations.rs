//! Everything that can be wrong with an operation, each on the real program: it is refused with its own code, nothing
//! of it is done, and the good one behind it is carried out.
//!
//! The hub here hands out whatever it likes. What has a good signature has one of `ssh-keygen`'s.

use serde_json::{Value, json};
use sortie_agent::{Given, read_refusals};
use sortie_rules::ids::{Id, TaskId};
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::envelope::Envelope;
use sortie_wire::results::{OutcomeWord, RunResult};

use super::agents::Site;
use super::hub::{NOW, TestHub, task};
use super::operations::key_of_node;
use super::operators::{Person, chain};
use super::program::{Program, ledger};

const DAY: i64 = Span::days(1).0;

/// A site whose policy lets operators alone append to one file.
struct Ground {
    hub: TestHub,
    site: Site,
    ada: Person,
    /// The fingerprint of the node's key.
    key: String,
}

/// One bad operation.
struct Bad {
    what: &'static str,
    handed: HandedTask,
    code: &'static str,
}

impl Ground {
    async fn new() -> Ground {
        let (hub, ada) = (TestHub::start().await, Person::new("ada"));
        let first = Person::set(1, 1, &[&ada], &[&ada]);
        let site = Site::enrolled_with(&hub, Some(Given::Chain(chain(&[&first])))).await;
        let roots = json!([site.folder()]);
        site.set_policy(&format!(
            "[handlers.\"file.append\"]\nkind = \"builtin\"\nclass = \"privileged\"\n[file_append]\nroots = {roots}\n"
        ));
        let key = key_of_node(&hub);
        Ground { hub, site, ada, key }
    }

    fn append(&self, line: &str) -> Value {
        json!({ "path": self.site.folder().join("journal"), "line": line })
    }

    /// What an operator signs for task `n`.
    fn statement(&self, n: u128) -> Value {
        json!({
            "op": "file.append",
            "operation": id(n),
            "target": { "node": self.hub.desk.node, "key": self.key },
            "params": self.append(&format!("line {n}")),
            "nonce": format!("{n:032x}"),
            "issued_at": NOW.0,
            "expires_at": NOW.0 + DAY,
            "key_id": self.ada.key.fingerprint(),
        })
    }

    /// Task `n` with what was signed of it, and a payload that nobody has signed.
    fn with(&self, n: u128, envelope: Envelope) -> HandedTask {
        let unsigned = self.append("harm").to_string();
        HandedTask { operation: Some(Box::new(envelope)), ..task(n, "file.append", &unsigned) }
    }

    fn signed(&self, n: u128, by: &[&Person]) -> HandedTask {
        self.with(n, Person::operation(self.statement(n).to_string().as_bytes(), by))
    }

    /// The same with another statement.
    fn said(&self, n: u128, change: impl FnOnce(&mut Value)) -> HandedTask {
        let mut statement = self.statement(n);
        change(&mut statement);
        self.with(n, Person::operation(statement.to_string().as_bytes(), &[&self.ada]))
    }

    async fn hand(&self, handed: HandedTask) -> RunResult {
        let id = handed.id;
        self.hub.desk.hand(vec![handed]);
        self.hub.desk.result(id).await
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.site.folder().join("journal")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Bad signatures, and good ones for something else.
    fn not_theirs(&self, good: &HandedTask) -> Vec<Bad> {
        let (ada, eve) = (&self.ada, Person::new("eve"));
        let envelope = good.operation.clone().unwrap();
        let mut damaged = *envelope.clone();
        damaged.signatures[0].sig.replace_range(0..4, "AAAA");
        let signatures = Person::set(1, 1, &[ada], &[ada]).signatures;
        let other_purpose = Box::new(Envelope { signatures, ..*envelope });
        let of = |n, operation| HandedTask { id: id(n), operation: Some(operation), ..good.clone() };
        let unsigned = task(2, "file.append", &self.append("harm").to_string());
        vec![
            bad("unsigned", unsigned, "signature_missing"),
            bad("nobody has signed", self.signed(3, &[]), "signer_unknown"),
            bad("a stranger has", self.signed(4, &[&eve]), "signer_unknown"),
            bad("damaged", of(5, Box::new(damaged)), "signature_invalid"),
            bad("for another purpose", of(6, other_purpose), "signature_invalid"),
            bad("with another task", HandedTask { id: id(9), ..good.clone() }, "operation_other_task"),
            bad("for another node", self.said(7, |s| s["target"]["node"] = json!(id(9))), "operation_other_target"),
            bad(
                "for the key of an earlier enrolment",
                self.said(8, |s| s["target"]["key"] = json!("00")),
                "operation_other_target",
            ),
        ]
    }

    /// Good signatures under what is not to be done.
    fn not_to_be_done(&self) -> Vec<Bad> {
        let at = NOW.0;
        let from_until = |from: i64, until: i64| {
            move |s: &mut Value| (s["issued_at"], s["expires_at"]) = (json!(from), json!(until))
        };
        let twice = self.statement(19).to_string().replacen("{\"line\":", "{\"line\":\"harm\",\"line\":", 1);
        assert!(twice.contains("harm"));
        let twice = self.with(19, Person::operation(twice.as_bytes(), &[&self.ada]));
        let none = self.with(18, Person::operation(b"[]", &[&self.ada]));
        vec![
            bad("of another type", self.said(10, |s| s["op"] = json!("sleep")), "operation_other_task"),
            bad("expired", self.said(11, from_until(at - 2 * DAY, at - 1)), "operation_expired"),
            bad("of tomorrow", self.said(12, from_until(at + DAY, at + 2 * DAY)), "operation_not_yet_valid"),
            bad("for two months", self.said(13, from_until(at, at + 60 * DAY)), "operation_too_long"),
            bad("for all time", self.said(21, from_until(at, i64::MAX)), "operation_too_long"),
            bad("that ends before it begins", self.said(14, from_until(at, at)), "operation_too_long"),
            bad(
                "with a large payload",
                self.said(15, |s| s["params"] = json!("x".repeat(70_000))),
                "operation_too_large",
            ),
            bad("with more than it has", self.said(16, |s| s["also"] = json!(1)), "operation_unreadable"),
            bad("with an odd nonce", self.said(17, |s| s["nonce"] = json!("1")), "operation_unreadable"),
            bad("with a key twice", twice, "operation_unreadable"),
            bad("that is none", none, "operation_unreadable"),
        ]
    }
}

fn bad(what: &'static str, handed: HandedTask, code: &'static str) -> Bad {
    Bad { what, handed, code }
}

fn id(n: u128) -> TaskId {
    Id::from_uuid(uuid::Uuid::from_u128(n))
}

fn code(result: &RunResult) -> &str {
    result.code.as_ref().map_or("", |code| &code.0)
}

#[tokio::test]
async fn whatever_is_wrong_with_an_operation_has_its_own_code_and_no_effect() {
    let ground = Ground::new().await;
    let program = Program::start_at_the_hub_s_time(&ground.site);
    let good = ground.signed(1, &[&ground.ada]);
    let cases: Vec<Bad> = ground.not_theirs(&good).into_iter().chain(ground.not_to_be_done()).collect();
    let mut refused = cases.len();
    for Bad { what, handed, code: expected } in cases {
        let result = ground.hand(handed).await;
        assert_eq!((result.outcome, code(&result)), (OutcomeWord::Rejected, expected), "{what}: {result:?}");
        assert!(!result.retry && ground.lines().is_empty(), "{what}");
    }
    let done = ground.hand(good).await;
    assert_eq!(done.outcome, OutcomeWord::Completed, "none of them has used its nonce: {done:?}");
    let replayed = ground.hand(ground.said(20, |s| s["nonce"] = json!(format!("{:032x}", 1)))).await;
    assert_eq!(code(&replayed), "operation_replayed");
    // Operators have signed it, and it is none of its type.
    let broken = ground.hand(ground.said(22, |s| s["params"] = json!({ "path": 7, "line": true }))).await;
    assert_eq!((broken.outcome, code(&broken)), (OutcomeWord::Rejected, "bad_payload"), "{broken:?}");
    refused += 2;
    assert_eq!(ground.lines(), ["line 1"], "what was signed, and never the task's own payload");
    assert_eq!(read_refusals(&ground.site.data(), 100).unwrap().len(), refused, "the site has a list of its own");
    program.kill();
    let nonces = ledger(&ground.site, "select nonce from nonces order by nonce");
    assert_eq!(nonces, [1, 22].map(|n| format!("{n:032x}")), "those alone that operators have signed");
}
