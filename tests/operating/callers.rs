//! People and programs who read and write without a pause, and repeat what they wrote.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use stories::until;
use tokio::task::JoinHandle;

/// Every so many submissions one is repeated under its key.
const REPEATED: u32 = 3;

/// People and programs at work. Every request of theirs must be answered as it should be.
pub(crate) struct Callers {
    made: Arc<AtomicU32>,
    submitted: Arc<Mutex<BTreeMap<String, String>>>,
    enough: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Callers {
    /// Some read; one submits tasks for the node `north`, each of which adds a line of its own to this file.
    pub(crate) fn start(url: &str, token: &str, journal: &Path) -> Callers {
        let (made, enough) = <(Arc<AtomicU32>, Arc<AtomicBool>)>::default();
        let submitted = Arc::<Mutex<BTreeMap<String, String>>>::default();
        let readers = ["/api/v1/whoami", "/api/v1/nodes", "/api/v1/tasks"].map(|path| {
            let (request, enough, made) = (caller(url, token), Arc::clone(&enough), Arc::clone(&made));
            let url = format!("{url}{path}");
            tokio::spawn(async move {
                while !enough.load(Ordering::Relaxed) {
                    let answer = request.get(&url).send().await.expect("every request is answered");
                    assert_eq!(answer.status().as_u16(), 200, "GET {url}: {:?}", answer.text().await);
                    made.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let (request, stop, count, kept) =
            (caller(url, token), Arc::clone(&enough), Arc::clone(&made), Arc::clone(&submitted));
        let (url, journal) = (format!("{url}/api/v1/tasks"), journal.to_owned());
        let writer = tokio::spawn(async move {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let line = format!("line {number:06}");
                let id = submit(&request, &url, &journal, &line).await;
                if number % REPEATED == 0 {
                    assert_eq!(submit(&request, &url, &journal, &line).await, id, "whichever replica is asked again");
                }
                kept.lock().unwrap_or_else(PoisonError::into_inner).insert(line, id);
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Callers { made, submitted, enough, tasks: readers.into_iter().chain([writer]).collect() }
    }

    /// Waits until they have made so many more requests.
    pub(crate) async fn have_made(&self, more: u32) {
        let before = self.made.load(Ordering::Relaxed);
        until("they go on", async || {
            assert!(!self.tasks.iter().any(JoinHandle::is_finished), "one of them was refused");
            (self.made.load(Ordering::Relaxed) >= before + more).then_some(())
        })
        .await;
    }

    /// What was acknowledged so far: each line with its task's id.
    pub(crate) fn submitted(&self) -> BTreeMap<String, String> {
        self.submitted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets them end. Returns what was acknowledged, each line with its task's id. Every request was answered as it
    /// should be.
    pub(crate) async fn stop(self) -> BTreeMap<String, String> {
        self.enough.store(true, Ordering::Relaxed);
        let submitted = Arc::clone(&self.submitted);
        for task in self.tasks {
            task.await.expect("no request failed");
        }
        submitted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Submits a task that adds this line, under a key of its own: the task's id.
async fn submit(request: &reqwest::Client, url: &str, journal: &Path, line: &str) -> String {
    let payload = json!({ "path": journal, "line": line });
    let task = json!({ "type": "file.append", "node": "north", "payload": payload }).to_string();
    let post = request.post(url).header("content-type", "application/json").header("idempotency-key", line);
    let answer = post.body(task).send().await.expect("every request is answered");
    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("it is text"));
    assert_eq!(status, 201, "POST: {text}");
    let submitted: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    submitted["id"].as_str().expect("a task has an id").to_owned()
}

/// Somebody with this token who believes any balancer.
fn caller(url: &str, token: &str) -> reqwest::Client {
    assert!(url.starts_with("https://"));
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().expect("a token is a header"));
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().default_headers(headers);
    client.build().expect("a client can be made")
}
