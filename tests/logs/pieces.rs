//! What the hub takes of a log, from an agent whose every word the story chooses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::logs::{LogBatch, LogPiece};
use stories::{HandNode, Scene, on_both_engines};

use crate::help::part;

on_both_engines!(bytes_are_taken_once_and_only_where_those_on_disk_end);

async fn next(node: &HandNode, task: &HandedTask, offset: u64, bytes: &[u8]) -> u64 {
    let data = STANDARD.encode(bytes);
    let piece = LogPiece { task: task.id, run: task.run, offset, data, progress: None };
    let answer = node.line().logs(node.id, &LogBatch { pieces: vec![piece] }).await.expect("it is answered");
    assert_eq!(answer.receipts.len(), 1, "a receipt for each piece");
    assert_eq!(answer.receipts[0].refused, None);
    answer.receipts[0].next
}

async fn bytes_are_taken_once_and_only_where_those_on_disk_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let task = node.take_one().await;
    let said: [(u64, &[u8], u64); 6] =
        [(0, b"on\xff", 3), (0, b"on\xff", 3), (9, b"gap", 3), (2, b"\xfftwo", 3), (3, b"", 3), (3, b"\0two", 7)];
    for (offset, bytes, goes_on) in said {
        assert_eq!(next(&node, &task, offset, bytes).await, goes_on, "{bytes:?} at {offset}");
    }
    assert_eq!(part(&hub, id, 0, None).await.1, b"on\xff\0two");
    let hub = hub.kill().await.start().await;
    assert_eq!(part(&hub, id, 0, None).await.1, b"on\xff\0two", "a receipt is for what is on disk");
}
