//! A real browser, headless, steered over WebDriver.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::program::clean;
use crate::{Scene, until};

/// A headless Chromium with an empty profile. It is gone when this is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
}

impl Browser {
    /// Starts one that believes any certificate.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(scene: &Scene) -> Browser {
        let port = scene.free_port();
        let profile = scene.folder().join("profile");
        let mut command = clean(Command::new("chromedriver"));
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let driver = command.spawn().expect("chromedriver is installed; `cargo xtask test` does so");
        let http = reqwest::Client::builder().no_proxy().build().expect("a plain client can be made");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments },
        } } });
        let base = format!("http://127.0.0.1:{port}/session");
        let made: Value = until("the browser starts", async || {
            let answer = post(&http, &base, &wanted).await.ok()?;
            Some(answer).filter(|answer| answer["value"]["sessionId"].is_string())
        })
        .await;
        let session = format!("{base}/{}", made["value"]["sessionId"].as_str().expect("checked above"));
        Browser { driver, session, http }
    }

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.ask("url", &json!({ "url": url })).await;
    }

    /// Runs the body of a function in the page, and returns what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.ask("execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// What the page has complained of in its console.
    pub async fn complaints(&self) -> Value {
        self.ask("se/log", &json!({ "type": "browser" })).await
    }

    async fn ask(&self, what: &str, body: &Value) -> Value {
        let answer = post(&self.http, &format!("{}/{what}", self.session), body).await.expect("the browser answers");
        assert!(answer["value"]["error"].is_null(), "{what}: {answer}");
        answer["value"].clone()
    }
}

async fn post(http: &reqwest::Client, url: &str, body: &Value) -> Result<Value, reqwest::Error> {
    let request = http.post(url).header("content-type", "application/json").body(body.to_string());
    let text = request.send().await?.text().await?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(driver) = i32::try_from(self.driver.id()).ok().and_then(rustix::process::Pid::from_raw) else {
            return;
        };
        // chromedriver ends its browsers when it is asked to end, but for one that is not up yet.
        let _asked = rustix::process::kill_process(driver, rustix::process::Signal::TERM);
        let _status = self.driver.wait();
        let _gone = rustix::process::kill_process_group(driver, rustix::process::Signal::KILL);
    }
}
