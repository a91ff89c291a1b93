//! The steps of a rotation, as an administrator takes them.

use sortie_wire::hub_keys::{FinishKeys, HubKeys, KeySort, KeyState, Rotatable, RotateKeys};
use sortie_wire::keys::KeySet;
use stories::{RunningHub, Site, until};

/// The keys as they are.
pub(crate) async fn keys(hub: &RunningHub<'_>) -> HubKeys {
    hub.people().hub_keys().await.expect("an administrator may look")
}

/// Brings a new key in.
pub(crate) async fn rotate(hub: &RunningHub<'_>, what: Rotatable) -> HubKeys {
    let from = keys(hub).await.version;
    hub.people().rotate_keys(&RotateKeys { what, from, at_once: false }).await.expect("an administrator may rotate")
}

/// Brings a new key in and uses it at once.
pub(crate) async fn rotate_at_once(hub: &RunningHub<'_>, what: Rotatable) -> HubKeys {
    let from = keys(hub).await.version;
    hub.people().rotate_keys(&RotateKeys { what, from, at_once: true }).await.expect("an administrator may rotate")
}

/// Waits until what was announced is used.
pub(crate) async fn begun(hub: &RunningHub<'_>) -> HubKeys {
    until("what was announced is used", async || {
        let keys = keys(hub).await;
        keys.keys.iter().all(|key| key.state != KeyState::Coming).then_some(keys)
    })
    .await
}

/// Waits until nobody lags.
pub(crate) async fn nobody_lags(hub: &RunningHub<'_>) -> HubKeys {
    until("nobody lags", async || {
        let keys = keys(hub).await;
        (keys.lagging == 0).then_some(keys)
    })
    .await
}

/// Takes out what is leaving.
pub(crate) async fn finish(hub: &RunningHub<'_>, force: bool) -> HubKeys {
    let from = keys(hub).await.version;
    hub.people().finish_keys(&FinishKeys { from, force }).await.expect("the rotation can be finished")
}

/// The id of the key of this sort that is in use.
pub(crate) fn current(keys: &HubKeys, what: KeySort) -> String {
    let key = keys.keys.iter().find(|key| key.what == what && key.state == KeyState::Current);
    key.expect("one is in use").id.clone()
}

/// What a site's agent believes, as it stands on its disk.
pub(crate) fn believed(site: &Site<'_>) -> KeySet {
    let text = std::fs::read(site.data().join("identity/node.json")).expect("it has enrolled");
    let record: serde_json::Value = serde_json::from_slice(&text).expect("it is whole");
    serde_json::from_value(record["keys"].clone()).expect("it holds a key set")
}

/// Waits until a site's agent believes this version.
pub(crate) async fn believes(site: &Site<'_>, version: u64) {
    until(&format!("`{}` believes key set {version}", site.name()), async || {
        (believed(site).version == version).then_some(())
    })
    .await;
}

/// A task of this site's comes to its end.
pub(crate) async fn works(hub: &RunningHub<'_>, site: &Site<'_>) {
    let id = hub.submit(site.name(), "sys.info", serde_json::json!({})).await;
    let task = hub.ended(id).await;
    assert_eq!(task.summary.status.as_str(), "completed", "{:?}", task.summary);
}
