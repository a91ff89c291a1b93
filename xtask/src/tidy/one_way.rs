//! Events leave the hub for NATS, and none comes back: whatever NATS does, the hub decides by its own
//! store. So the hub's crate knows NATS in one folder, and there it only sends. Who reads events, and who
//! makes streams and consumers, stands elsewhere.

use super::finding::Finding;
use super::source::has_phrase;
use super::tree::Tree;

const HUB: &str = "crates/hub/";
const OUTBOX: &str = "crates/hub/src/outbox/";

/// What reads from NATS or changes it, by the names of its library.
const READING: [&str; 9] = [
    "subscribe",
    "queue_subscribe",
    "consumer",
    "get_consumer",
    "create_consumer",
    "get_stream",
    "create_stream",
    "update_stream",
    "messages()",
];

/// Every place of the hub that knows NATS outside its folder, and every place in it that does not only send.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.path.starts_with(HUB)) {
        let is_outbox = file.path.starts_with(OUTBOX);
        for (line, code) in source.product_lines() {
            if !is_outbox && has_phrase(code, "async_nats") {
                let remedy = format!("write an event, which {OUTBOX} sends, or read the store");
                findings.push(Finding::new(&file.path, line, "the hub knows NATS only in its outbox", remedy));
            }
            if let Some(word) = READING.iter().find(|word| is_outbox && has_phrase(code, word)) {
                let remedy = "read the store; streams and consumers are made by `sortie events setup`";
                findings.push(Finding::new(&file.path, line, format!("`{word}`: the outbox only sends"), remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn only_the_outbox_knows_nats_and_it_only_sends() {
        let connect = "use async_nats::ConnectOptions;\n";
        assert_eq!(found("crates/hub/src/outbox/connection.rs", connect), 0);
        assert_eq!(found("crates/hub/src/tasks/submit.rs", connect), 1);
        assert_eq!(found("crates/sortie/src/commands/events/setup.rs", connect), 0);
        let reads = "async fn f() { client.subscribe(s).await }\nfn g() { stream.get_consumer(n) }\n";
        assert_eq!(found("crates/hub/src/outbox/relay.rs", reads), 2);
        assert_eq!(found("crates/hub/src/events/list.rs", "fn f() { news.subscribe() }\n"), 0);
        assert_eq!(found("crates/hub/src/outbox/mod.rs", "//! It subscribes to no consumer.\n"), 0);
    }
}
