//! Webhooks of post-steps: those of the settings, by name.

use std::collections::BTreeMap;

use serde_json::json;
use sortie_rules::limits::WEBHOOK_RESULT_BYTES_MAX;
use sortie_rules::time::Millis;

use super::matter::Matter;
use crate::moments::rfc3339;
use crate::outgoing::{Call, Caller, SigningKey, Trouble, address};
use crate::settings::WebhookSettings;

/// The webhooks of the settings, by name.
#[derive(Debug)]
pub(crate) struct Webhooks(BTreeMap<String, Hook>);

#[derive(Debug)]
struct Hook {
    url: reqwest::Url,
    key: SigningKey,
}

/// Settings of a webhook that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("setting `{key}`: {why}")]
pub struct WebhookError {
    key: String,
    why: String,
}

impl Webhooks {
    /// Reads the secrets of the webhooks. Nothing is called yet.
    pub(crate) fn new(settings: &BTreeMap<String, WebhookSettings>) -> Result<Webhooks, WebhookError> {
        let mut hooks = BTreeMap::new();
        for (name, settings) in settings {
            let fault = |key: &str, why: String| WebhookError { key: format!("webhooks.{name}.{key}"), why };
            let url = address(&settings.url).map_err(|why| fault("url", why))?;
            let text = std::fs::read_to_string(&settings.secret_file)
                .map_err(|error| fault("secret_file", format!("{}: {error}", settings.secret_file.display())))?;
            let key = SigningKey::read(&text).ok_or_else(|| {
                fault("secret_file", "it must hold `whsec_` and 16 to 64 bytes in base64 (24 to 64 are advised)".into())
            })?;
            hooks.insert(name.clone(), Hook { url, key });
        }
        Ok(Webhooks(hooks))
    }

    /// Calls a webhook once.
    pub(super) async fn call(
        &self,
        caller: &Caller,
        name: &str,
        matter: &Matter,
        (id, now): (&str, Millis),
    ) -> Result<String, Trouble> {
        let Some(Hook { url, key }) = self.0.get(name) else {
            let why = format!("this hub has no webhook `{name}`; set [webhooks.{name}] in hub.toml");
            return Err(Trouble::later("webhook_unknown", why));
        };
        caller.call(Call { url, key, id, body: &body(matter), now }).await
    }
}

/// What is sent: the same bytes with each try.
fn body(matter: &Matter) -> String {
    let mut data = json!({ "task": matter.task_json(), "item": matter.item });
    if matter.result.to_string().len() <= WEBHOOK_RESULT_BYTES_MAX {
        data["result"] = matter.result.clone();
    } else {
        data["result_at"] = format!("/api/v1/tasks/{}", matter.task).into();
    }
    json!({ "type": format!("task.{}", matter.status), "timestamp": rfc3339(matter.finished_at), "data": data })
        .to_string()
}
