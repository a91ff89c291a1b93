//! Looks at silence and writes down what changed (B-24, B-25).

use sortie_rules::limits::PRESENCE_CHANGES_AT_ONCE;
use sortie_rules::liveness::Change;
use sortie_rules::time::Millis;
use sortie_store::{Store, nodes};

use super::board::Changed;
use crate::app::App;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Looks at every node's silence once. Returns how many nodes changed.
pub(crate) async fn check(app: &App) -> Result<u64, Fault> {
    let now = app.clock.now();
    if app.store.engine() == "postgres" {
        // Nodes whose waits are held at other hubs are heard there.
        super::load(&app.store, &app.presence).await?;
    }
    let is_held = |node| app.waiting.is_held(node);
    let (mut total, mut after) = (0, None);
    loop {
        // A fleet that goes silent at once is written down page by page: what follows from the first is done while the
        // last is still to come.
        let (changes, next) = app.presence.look(is_held, after, PRESENCE_CHANGES_AT_ONCE);
        if !changes.is_empty() {
            record_change(&app.store, changes.clone(), now).await?;
            app.presence.say(&changes);
            total += changes.len() as u64;
        }
        match next {
            // Whoever leads instead looks for itself.
            Some(last) if app.leader.leads(app) => after = Some(last),
            _ => return Ok(total),
        }
    }
}

/// Writes presence and event of each change in one transaction.
pub(super) async fn record_change(store: &Store, changes: Vec<Changed>, now: Millis) -> Result<(), Fault> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let said: Vec<_> = changes.iter().map(|changed| (changed.node, changed.presence)).collect();
                let stand = nodes::set_presence(tx, &said, now).await?;
                let record =
                    |changed: &Changed| Record::new(changed.org, now, word(changed.change), "hub").node(changed.node);
                // A node that was shut out a moment ago is not missed, and what another hub has said is not said again.
                let of_those = changes.iter().zip(stand).filter(|(_, stands)| *stands);
                let records: Vec<_> = of_those.map(|(changed, _)| record(changed)).collect();
                events::record_all(tx, &records).await?;
                Ok(())
            })
        })
        .await
}

fn word(change: Change) -> &'static str {
    match change {
        Change::FirstHeard => "node.online",
        Change::WentStale => "node.stale",
        Change::WentDown => "node.down",
        Change::Recovered => "node.recovered",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicI64;
    use std::sync::atomic::Ordering::Relaxed;

    use proptest::prelude::*;
    use sortie_rules::ids::{DEFAULT_ORG, Id, NodeId};
    use sortie_rules::liveness::Presence;
    use sortie_rules::time::Span;
    use sortie_store::events::EventFilter;
    use sortie_store::orgs::OrgRow;
    use sortie_store::{Location, Options, events, orgs};

    use super::super::board::PresenceBoard;
    use super::*;
    use crate::clock::Clock;
    use crate::settings::Presence as Settings;

    const BEGAN: Millis = Millis(1_000_000);
    const NODES: u128 = 3;

    /// What befalls one of the nodes, or all of them.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        /// It gives a sign of life.
        Heard(u128),
        /// So many minutes pass, and the hub looks; the fleet's waits are held by no hub.
        Looked(i64),
        /// The hub is away for so many minutes, and is started again.
        Away(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..NODES).prop_map(Step::Heard),
            (0i64..50).prop_map(Step::Looked),
            (1i64..500).prop_map(Step::Away),
        ];
        proptest::collection::vec(step, 1..40)
    }

    fn node(number: u128) -> NodeId {
        Id::from_uuid(uuid::Uuid::from_u128(number + 1))
    }

    async fn store(folder: &std::path::Path) -> Store {
        let location = Location::Sqlite(folder.join("hub.sqlite"));
        let store = Store::open(Options { location, readers: 1, now: BEGAN }).await.expect("it can be opened");
        let rows: Vec<nodes::NodeRow> = (0..NODES).map(fresh).collect();
        let filled = store.write(move |tx| {
            Box::pin(async move {
                orgs::insert(tx, &OrgRow { id: DEFAULT_ORG, name: "default".into(), created_at: BEGAN }).await?;
                for row in &rows {
                    nodes::insert(tx, row).await?;
                }
                Ok::<_, Fault>(())
            })
        });
        filled.await.expect("an empty store takes nodes");
        crate::liveness::skip_absence(&store, BEGAN).await.expect("the store takes it");
        store
    }

    fn fresh(number: u128) -> nodes::NodeRow {
        nodes::NodeRow {
            id: node(number),
            org: DEFAULT_ORG,
            name: format!("node-{number}"),
            site: None,
            host: None,
            // Of each kind there are other thresholds.
            kind: if number == 0 { "guest".into() } else { "host".into() },
            labels: std::collections::BTreeMap::new(),
            key_fingerprint: format!("{number}"),
            certificate_until: BEGAN,
            enrolled_at: BEGAN,
            revoked_at: None,
            presence: Presence::New,
            presence_at: BEGAN,
            heard_at: None,
            silent_since: BEGAN,
            delivered: 0,
            acknowledged: 0,
            proof: None,
            clock: None,
            clock_skew_ms: None,
            quarantined_at: None,
            keys_version: None,
            issued_by: None,
            facts: None,
            stale_after: None,
            down_after: None,
            standing: None,
        }
    }

    fn settings() -> Settings {
        let guest = crate::settings::KindPresence { stale_after_s: Some(300), down_after_s: Some(600) };
        Settings { kinds: std::collections::BTreeMap::from([("guest".to_owned(), guest)]), ..Settings::default() }
    }

    async fn look(store: &Store, board: &PresenceBoard, now: Millis) -> Vec<Changed> {
        let (changes, _) = board.look(|_| false, None, 1000);
        record_change(store, changes.clone(), now).await.expect("the store takes them");
        board.say(&changes);
        changes
    }

    /// Takes the steps. Returns every change that the board found, in order.
    async fn take(store: &Store, steps: &[Step]) -> Vec<Changed> {
        let shown = Arc::new(AtomicI64::new(BEGAN.0));
        let clock = {
            let (shown, steady) = (Arc::clone(&shown), Arc::clone(&shown));
            Clock::of(move || Millis(shown.load(Relaxed)), move || Millis(steady.load(Relaxed)))
        };
        let mut board = PresenceBoard::new(&clock, settings());
        crate::liveness::load(store, &board).await.expect("the store answers");
        let (mut now, mut found) = (BEGAN, Vec::new());
        for step in steps {
            match *step {
                Step::Heard(number) => {
                    let changed: Vec<Changed> = board.note(node(number), DEFAULT_ORG).into_iter().collect();
                    record_change(store, changed.clone(), now).await.expect("the store takes it");
                    found.extend(changed);
                }
                Step::Looked(minutes) => {
                    now = now + Span::minutes(minutes);
                    shown.store(now.0, Relaxed);
                    found.extend(look(store, &board, now).await);
                }
                Step::Away(minutes) => {
                    let heard = board.take_unwritten();
                    let left = store.write(move |tx| {
                        Box::pin(async move {
                            nodes::flush_heard(tx, &heard).await?;
                            sortie_store::meta::set(tx, "alive_at", &now.0.to_string()).await
                        })
                    });
                    left.await.expect("the store takes it");
                    now = now + Span::minutes(minutes);
                    shown.store(now.0, Relaxed);
                    crate::liveness::skip_absence(store, now).await.expect("the store takes it");
                    board = PresenceBoard::new(&clock, settings());
                    crate::liveness::load(store, &board).await.expect("the store answers");
                    let silenced = look(store, &board, now).await;
                    assert!(silenced.is_empty(), "the time in which no hub listened counts: {silenced:?}");
                }
            }
        }
        found
    }

    fn alternate(kinds: &[&str]) -> bool {
        let follows = |pair: &[&str]| match pair[0] {
            "node.online" | "node.recovered" => ["node.stale", "node.down"].contains(&pair[1]),
            "node.stale" => ["node.down", "node.recovered"].contains(&pair[1]),
            _ => pair[1] == "node.recovered",
        };
        kinds.first().is_none_or(|first| *first == "node.online") && kinds.windows(2).all(follows)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Any sequence of signs of life, silences and absences of the hub gives alternating transitions, one event
        /// each.
        #[test]
        fn each_transition_is_one_event_and_they_alternate(steps in steps()) {
            let folder = tempfile::tempdir().expect("there is a temporary folder");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be made");
            let (found, told) = runtime.block_on(async {
                let store = store(folder.path()).await;
                let found = take(&store, &steps).await;
                let told = store.read(|tx| Box::pin(async move {
                    events::list(tx, DEFAULT_ORG, &EventFilter::default(), 0, 1000).await
                }));
                (found, told.await.expect("the store answers"))
            });
            let found: Vec<_> = found.iter().map(|changed| (Some(changed.node), word(changed.change))).collect();
            let told: Vec<_> = told.iter().map(|event| (event.node, event.kind.as_str())).collect();
            prop_assert_eq!(&told, &found);
            for number in 0..NODES {
                let of_node: Vec<&str> =
                    told.iter().filter(|(of, _)| *of == Some(node(number))).map(|(_, kind)| *kind).collect();
                prop_assert!(alternate(&of_node), "{:?}", of_node);
            }
        }
    }
}
