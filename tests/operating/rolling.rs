//! Two replicas on one database behind a balancer, upgraded one after the other: no request fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use counterparts::Nginx;
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use stories::{Engine, Scene, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_replicas_are_upgraded_one_after_the_other_and_no_request_fails() {
    let scene = Scene::new(Engine::Postgres);
    let plan =
        scene.hub().setting("drain_s", 1).setting("limits.requests_per_principal", 0).start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (mut one, mut other) = (plan.start().await, beside.start().await);
    let node = one.hand_node("north").await;
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let nginx = Nginx::between(&[&one.address(), &other.address()], &certificate.pem(), &key.serialize_pem());
    let callers = Callers::start(&nginx.url(), &one.admin_token());

    for _ in 0..2 {
        callers.have_made(20).await;
        one = one.stop().await.0.start().await;
        callers.have_made(20).await;
        other = other.stop().await.0.start().await;
    }
    callers.have_made(20).await;
    let submitted = callers.stop().await;
    // Each was taken once, whichever replica took it.
    let mut taken = 0;
    loop {
        let tasks = node.wait(100, 1).await.tasks;
        if tasks.is_empty() {
            break;
        }
        taken += tasks.len();
    }
    assert_eq!(taken, submitted as usize);
}

/// People and programs who read and write without a pause.
struct Callers {
    made: Arc<AtomicU32>,
    submitted: Arc<AtomicU32>,
    enough: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Callers {
    fn start(url: &str, token: &str) -> Callers {
        let (made, submitted, enough) = <(Arc<AtomicU32>, Arc<AtomicU32>, Arc<AtomicBool>)>::default();
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
        let (request, stop, count, taken) =
            (caller(url, token), Arc::clone(&enough), Arc::clone(&made), Arc::clone(&submitted));
        let url = format!("{url}/api/v1/tasks");
        let writer = tokio::spawn(async move {
            let task = json!({ "type": "sys.info", "node": "north", "payload": {} }).to_string();
            while !stop.load(Ordering::Relaxed) {
                let post = request.post(&url).header("content-type", "application/json").body(task.clone());
                let answer = post.send().await.expect("every request is answered");
                assert_eq!(answer.status().as_u16(), 201, "POST: {:?}", answer.text().await);
                count.fetch_add(1, Ordering::Relaxed);
                taken.fetch_add(1, Ordering::Relaxed);
            }
        });
        Callers { made, submitted, enough, tasks: readers.into_iter().chain([writer]).collect() }
    }

    /// Waits until they have made so many more requests.
    async fn have_made(&self, more: u32) {
        let before = self.made.load(Ordering::Relaxed);
        until("they go on", async || {
            assert!(!self.tasks.iter().any(tokio::task::JoinHandle::is_finished), "one of them was refused");
            (self.made.load(Ordering::Relaxed) >= before + more).then_some(())
        })
        .await;
    }

    /// How many tasks were submitted. Every request of theirs was answered as it should be.
    async fn stop(self) -> u32 {
        self.enough.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no request failed");
        }
        self.submitted.load(Ordering::Relaxed)
    }
}

/// Somebody with this token who believes any balancer.
fn caller(url: &str, token: &str) -> reqwest::Client {
    assert!(url.starts_with("https://"));
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().expect("a token is a header"));
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().default_headers(headers);
    client.build().expect("a client can be made")
}
