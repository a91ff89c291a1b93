//! The loop of the leader: enters what events tell into stretches, page by page.
//!
//! What a page comes to and how far the events were followed are written in one transaction: nothing is counted twice,
//! and of two hubs that lead by mistake one gives way.

use std::collections::{BTreeMap, BTreeSet};

use sortie_rules::history::{Book, Happening};
use sortie_rules::limits::HISTORY_EVENTS_AT_ONCE;
use sortie_rules::time::Millis;
use sortie_store::events::EventRow;
use sortie_store::history::SumRow;
use sortie_store::{Store, StoreError, Tx, events, followers, history};

use crate::app::App;
use crate::fault::Fault;

/// As whom history follows events.
const FOLLOWER: &str = "history";
/// Pages of one turn; then others have theirs.
const PAGES_PER_TURN: u32 = 50;

/// Begins with what is so now, at the very first start of a hub that looks back. Of two that start together one does.
pub(crate) async fn begin(store: &Store, now: Millis) -> Result<(), StoreError> {
    if store.read(|tx| Box::pin(async move { followers::place(tx, FOLLOWER).await })).await?.is_some() {
        return Ok(());
    }
    store
        .write(move |tx| {
            Box::pin(async move {
                let newest = events::last_number(tx).await?;
                if followers::begin_first(tx, FOLLOWER, newest, now).await? {
                    history::begin(tx, now).await?;
                }
                Ok(())
            })
        })
        .await
}

/// One turn. Returns how many events were looked through.
pub(crate) async fn follow(app: &App) -> Result<u64, Fault> {
    let mut total = 0;
    for _ in 0..PAGES_PER_TURN {
        let now = app.clock.now();
        let looked = app.store.read(|tx| {
            Box::pin(async move {
                let number = followers::place(tx, FOLLOWER).await?.unwrap_or(0);
                let rows = events::list_of_all_orgs(tx, number, HISTORY_EVENTS_AT_ONCE).await?;
                Ok::<_, Fault>((number, rows))
            })
        });
        let (number, rows) = looked.await?;
        let Some(last) = rows.last().map(|row| row.number) else { return Ok(total) };
        let count = rows.len() as u64;
        let written = app.store.write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                enter(tx, &rows).await?;
                if followers::move_on(tx, FOLLOWER, number, last, now).await? { Ok(()) } else { Err(overtaken()) }
            })
        });
        written.await?;
        total += count;
        if count < u64::from(HISTORY_EVENTS_AT_ONCE) || app.stop.is_cancelled() || !app.leader.leads(app) {
            return Ok(total);
        }
    }
    Ok(total)
}

fn overtaken() -> Fault {
    Fault::Broken("history was written at the same moment by another hub; it is looked at again".to_owned())
}

async fn enter(tx: &mut Tx, rows: &[EventRow]) -> Result<(), StoreError> {
    let told = |row: &EventRow| Some((row.node?.to_string(), row.org.to_string(), Happening::of(&row.kind)?, row.at));
    let told: Vec<_> = rows.iter().filter_map(told).collect();
    if told.is_empty() {
        return Ok(());
    }
    let is_of_presence = |what: &Happening| matches!(what, Happening::Online(_));
    let holders: BTreeSet<String> = told
        .iter()
        .filter(|(.., what, _)| is_of_presence(what))
        .flat_map(|(node, org, ..)| [node.clone(), org.clone()])
        .collect();
    let holders: Vec<String> = holders.into_iter().collect();
    let before: BTreeMap<_, _> = history::levels(tx, &holders).await?.into_iter().collect();
    let mut book = Book::new(before.clone());
    told.iter().for_each(|(node, org, what, at)| book.enter(node, org, *what, *at));
    let sums: Vec<SumRow> =
        book.sums.into_iter().map(|((holder, step, at), sum)| SumRow { holder, step, at, sum }).collect();
    history::enter(tx, &sums).await?;
    let changed: Vec<_> = book.levels.into_iter().filter(|(holder, level)| before.get(holder) != Some(level)).collect();
    history::set_levels(tx, &changed).await
}
