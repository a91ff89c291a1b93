//! What several of these stories share: an alarm that the story begins and ends as it likes, and mails as people read
//! them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterparts::SmtpSink;
use serde_json::{Value, json};
use sortie_rules::time::Millis;
use sortie_wire::alarms::PutAlarmRule;
use sortie_wire::notifications::{Notification, NotificationQuery, NotificationState, PutRecipient, RecipientInUse};
use sortie_wire::reports::SendReport;
use stories::{HandNode, HubPlan, RunningHub, until};

/// The same hub with this mail server.
pub(crate) fn with_mail<'s>(plan: HubPlan<'s>, port: u16) -> HubPlan<'s> {
    plan.setting("mail.host", "127.0.0.1")
        .setting("mail.port", port)
        .setting("mail.security", "none")
        .setting("mail.from", "Sortie <hub@sortie.example>")
}

/// Makes a recipient.
pub(crate) async fn recipient(hub: &RunningHub<'_>, recipient: Value) -> RecipientInUse {
    let name = recipient["name"].as_str().expect("it has a name").to_owned();
    let put = PutRecipient { recipient, webhook_secret: None };
    hub.people().set_recipient(&name, &put).await.expect("an administrator may")
}

/// An operator who gets mails.
pub(crate) async fn on_call(hub: &RunningHub<'_>) {
    recipient(hub, json!({ "name": "on-call", "audience": "operator", "mail": "on-call@sortie.example" })).await;
}

/// From now on a box that says that it is hot is an alarm, which matters most; so is each part of it.
pub(crate) async fn heat_is_an_alarm(hub: &RunningHub<'_>) {
    let rule = json!({
        "name": "box.hot", "severity": "critical", "summary": "A box is hot.",
        "facts": { "kind": "heat", "field": "/hot", "is": true },
    });
    let put = PutAlarmRule { rule: Some(rule) };
    hub.people().set_alarm_rule("box.hot", &put).await.expect("an administrator may");
}

/// A node says whether it is hot.
pub(crate) async fn hot(node: &HandNode, hot: bool) {
    part_is_hot(node, None, hot).await;
}

/// A node says whether a part of it is hot.
pub(crate) async fn part_is_hot(node: &HandNode, part: Option<String>, hot: bool) {
    let facts = serde_json::value::to_raw_value(&json!({ "hot": hot })).expect("a JSON value is JSON");
    let report = SendReport { kind: "heat".into(), subject: part, taken_at: Millis(1), source: "agent".into(), facts };
    node.line().report(node.id, &report).await.expect("a report in order is taken");
}

/// Every notification, the oldest first.
pub(crate) async fn log(hub: &RunningHub<'_>) -> Vec<Notification> {
    let query = NotificationQuery { limit: Some(1000), ..NotificationQuery::default() };
    let mut items = hub.people().notifications(&query).await.expect("an administrator may").items;
    items.reverse();
    items
}

/// Waits until there are so many notifications and the last of them stands so.
pub(crate) async fn becomes(hub: &RunningHub<'_>, count: usize, state: NotificationState) -> Notification {
    until(&format!("notification {count} is {}", state.as_str()), async || {
        let all = log(hub).await;
        all.into_iter().nth(count - 1).filter(|one| one.state == state)
    })
    .await
}

/// A while passes for what waits for it: cool-downs, and the pause between dispatches.
pub(crate) fn hours_pass(plan: &HubPlan<'_>, hours: i64) {
    let by = hours * 3_600_000;
    plan.sql(&format!("update told set told_at = told_at - {by}"));
    plan.sql(&format!("update notifications set due_at = due_at - {by} where due_at is not null"));
    plan.sql(&format!("update dispatches set created_at = created_at - {by}"));
}

/// A mail as its reader has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Waits until so many mails are there.
pub(crate) async fn mails(sink: &SmtpSink, count: usize) -> Vec<Mail> {
    let all = until("the mails are there", async || Some(sink.mails()).filter(|mails| mails.len() >= count)).await;
    all.iter().map(|mail| read(mail)).collect()
}

/// Waits for the one mail whose subject has this in it.
pub(crate) async fn mail_about(sink: &SmtpSink, subject: &str) -> Mail {
    until(&format!("a mail about `{subject}`"), async || {
        sink.mails().iter().map(|mail| read(mail)).find(|mail| mail.subject.contains(subject))
    })
    .await
}

fn read(mail: &str) -> Mail {
    let mail = mail.replace("\r\n", "\n");
    let (head, body) = mail.split_once("\n\n").expect("a mail has a head and a body");
    let head = head.replace("\n ", " ");
    let field = |name: &str| {
        let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_default().trim().to_owned()
    };
    let text = match field("Content-Transfer-Encoding").as_str() {
        "base64" => in_base64(&body.replace('\n', "")),
        "quoted-printable" => quoted(&body.replace("=\n", "")),
        _ => body.to_owned(),
    };
    Mail { id: field("Message-ID"), to: field("To"), subject: words(&field("Subject")), text }
}

fn in_base64(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).expect("it says that it is base64")).expect("it says that it is UTF-8")
}

fn quoted(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'=').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).expect("it says that it is UTF-8")
}

/// A header in which words may be encoded (RFC 2047). The space between two such words is none.
fn words(text: &str) -> String {
    let encoded = |word: &str| word.strip_prefix("=?utf-8?b?")?.strip_suffix("?=").map(in_base64);
    let (mut said, mut was_encoded) = (String::new(), true);
    for word in text.split(' ') {
        let decoded = encoded(word);
        if !(was_encoded && (decoded.is_some() || said.is_empty())) {
            said.push(' ');
        }
        was_encoded = decoded.is_some();
        said.push_str(decoded.as_deref().unwrap_or(word));
    }
    said
}
