//! An agent's one held request: answered at once if something is there, else when a bell rings,
//! else at the end of its time.

use std::sync::Arc;

use sortie_rules::deliveries::Ask;
use sortie_rules::limits::{COUNT_MAX, WAIT_MAX};
use sortie_rules::tasks::State;
use sortie_rules::time::Span;
use sortie_store::tasks::{self, TaskRow};
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::envelope::Envelope;
use sortie_wire::problem::ProblemCode;

use super::arrive::judge;
use super::claim::claim_waiting;
use super::delivery::{News, Parcel, handed, sign};
use crate::app::Shared;
use crate::fault::{Fault, refuse};
use crate::http::NodeCaller;
use crate::waiting::{Line, Turn, Wake};

/// Holds an agent's wait until there is something to say, and says it signed.
pub(super) async fn wait(app: &Shared, caller: &NodeCaller, query: WaitQuery) -> Result<Envelope, Fault> {
    let parcel = hold(app, caller, query).await?;
    let operators_version = app.operators.version(&app.store, caller.org).await?;
    let desired_generation = app.desired.generations.tell(&app.store, caller.node, query.boot).await?;
    sign(app, caller, query.answers(), News { operators_version, desired_generation }, parcel)
}

async fn hold(app: &Shared, caller: &NodeCaller, query: WaitQuery) -> Result<Parcel, Fault> {
    if query.ack.max(query.seq) > COUNT_MAX.into() {
        return Err(refuse(ProblemCode::MalformedParameter, format!("ack and seq are at most {COUNT_MAX}.")));
    }
    let line = app.waiting.line(caller.node);
    // Thousands are held at once, and what one might need takes room in each: the rare steps are boxed.
    Box::pin(caller.may_take_tasks(app)).await?;
    let mut turn = line.turn().await;
    let ask = Ask { boot: query.boot, seq: query.seq, ack: query.ack };
    let (mut redeliver, restored) = Box::pin(judge(app, caller, &line, &mut turn, ask)).await?;
    if let Some(shows) = query.clock {
        caller.note_clock(app, shows);
    }
    let keys_known = Box::pin(crate::keys::heard_of(app, caller, &query)).await?;
    app.desired.generations.of(&app.store, caller.node).await?;
    // A bell can get lost: another hub on the same database rings its own, and one rung for a caller who
    // hung up may never sound. Each wait looks once by itself.
    line.look_again_later();
    let mine = turn.newest();
    let mut parcel = Parcel { results_wanted: restored, ..Parcel::default() };
    let longest = Span::seconds(query.wait_s.into()).min(WAIT_MAX);
    let end = tokio::time::sleep(longest.to_std());
    tokio::pin!(end);
    loop {
        parcel.number = turn.line().map_or(0, |line| line.delivered);
        parcel.cancel = line.take_cancels();
        if std::mem::take(&mut redeliver) {
            Box::pin(lost_on_the_way(app, caller, ask.ack, &mut parcel)).await?;
        }
        if parcel.tasks.is_empty() && query.room > 0 && line.begin_look() {
            let (looked, is_here) = Box::pin(look(app, caller, query.room, &line, turn, &mut parcel)).await?;
            if !is_here {
                // Another hub holds the agent's wait; there is something for it.
                line.doubt();
                app.waiting.ring(caller.node);
                return Ok(parcel);
            }
            turn = looked;
        }
        if !parcel.tasks.is_empty() || !parcel.cancel.is_empty() || parcel.results_wanted {
            return Ok(parcel);
        }
        let Some(woken) = line.hold(query.room) else { continue };
        // Nodes that wait are told of newer keys, and of what they should be; whoever comes to wait at that moment
        // hears of them here.
        let is_news = app.desired.generations.is_news(caller.node, query.boot);
        if is_news || app.ring.held().ring().version != keys_known {
            return Ok(parcel);
        }
        drop(turn);
        let _held = HeldWait::counted();
        let wake = tokio::select! {
            wake = woken => wake.unwrap_or(Wake::GiveWay),
            () = &mut end => return Ok(parcel),
            () = app.stop.cancelled() => return Ok(parcel),
        };
        match wake {
            Wake::HandOver { number, tasks } => return Ok(Parcel { number, tasks, ..parcel }),
            Wake::GiveWay => return Ok(parcel),
            Wake::Look => turn = line.turn().await,
        }
        if turn.newest() != mine {
            return Ok(parcel);
        }
    }
}

/// Counts among the waits that are held, until dropped.
struct HeldWait;

impl HeldWait {
    fn counted() -> Self {
        metrics::gauge!("sortie_waits_held").increment(1.0);
        Self
    }
}

impl Drop for HeldWait {
    fn drop(&mut self) {
        metrics::gauge!("sortie_waits_held").decrement(1.0);
    }
}

/// Tasks that were handed out above what the agent has on its disk: same task, same attempt.
async fn lost_on_the_way(app: &Shared, caller: &NodeCaller, ack: u64, parcel: &mut Parcel) -> Result<(), Fault> {
    let node = caller.node;
    let rows = app.store.read(move |tx| Box::pin(async move { tasks::redeliverable(tx, node, ack).await })).await?;
    // Another hub may have handed them out after a wish to stop an earlier run that was noted here.
    let goes_on = |row: &TaskRow| matches!(row.life.state, State::InProgress { cancel_asked: false, .. });
    parcel.cancel.retain(|task| !rows.iter().any(|row| row.id == *task && goes_on(row)));
    let types = app.types.load();
    parcel.tasks = rows.into_iter().map(|row| handed(&types, row)).collect::<Result<_, _>>()?;
    Ok(())
}

/// Looks for what waits in the store. Says whether the line is still this hub's.
async fn look(
    app: &Shared,
    caller: &NodeCaller,
    room: u32,
    line: &Arc<Line>,
    turn: Turn,
    parcel: &mut Parcel,
) -> Result<(Turn, bool), Fault> {
    match claim_waiting(app, caller.node, room, Span(0), turn).await {
        Ok((found, turn)) => {
            if found.more {
                line.look_again_later();
            }
            if !found.tasks.is_empty() {
                // Whoever wanted one of these stopped meant an earlier run, and that has ended.
                parcel.cancel.retain(|task| !found.tasks.iter().any(|handed| handed.id == *task));
                parcel.number = found.number;
                parcel.tasks = found.tasks;
            }
            Ok((turn, found.is_here))
        }
        Err(fault) => {
            line.look_again_later();
            Err(fault)
        }
    }
}
