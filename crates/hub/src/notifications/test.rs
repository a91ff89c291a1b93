//! Sends somebody a test, by the way that alarms take, and says what came of it.

use serde_json::json;
use sortie_rules::limits::DISPATCH_HELD;
use sortie_rules::notifications::{Channel, Dispatch, DispatchState, planned};
use sortie_store::Tx;
use sortie_store::dispatches::{self, DispatchRow};
use sortie_store::recipients;
use sortie_wire::notifications::{TestOutcome, TestRecipient};

use super::audience::reachable;
use super::change::no_way;
use super::list::unknown;
use super::send;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::http::to_the_end;
use crate::people::Principal;

/// Sends it by each way that the recipient has, or by one.
pub(super) async fn test(
    app: &Shared,
    who: Principal,
    name: String,
    request: TestRecipient,
) -> Result<Vec<TestOutcome>, Fault> {
    let app = app.clone();
    // A caller that hangs up leaves no test under way behind.
    to_the_end(async move {
        let mut outcomes = Vec::new();
        for row in plan(&app, &who, name, request.channel).await? {
            let tried = send::attempt(&app, &row).await;
            let row = send::settle(&app, row, tried).await?;
            outcomes.push(TestOutcome {
                dispatch: row.id,
                channel: row.channel,
                state: row.life.state.as_str().to_owned(),
                code: row.code,
                why: row.why,
            });
        }
        Ok(outcomes)
    })
    .await
}

/// Writes the tests down as begun: nobody else begins them meanwhile.
async fn plan(app: &Shared, who: &Principal, name: String, only: Option<Channel>) -> Result<Vec<DispatchRow>, Fault> {
    let (org, now) = (who.org, app.clock.now());
    let act = Act::by(who, now)?.on("recipient", &name);
    let ids = Channel::ALL.map(|channel| (channel, app.entropy.id(now)));
    app.store
        .write_checked(move |tx: &mut Tx| {
            Box::pin(async move {
                let row = recipients::get(tx, org, &name).await?.ok_or_else(|| unknown(&name))?;
                let recipient = reachable(&row).ok_or_else(|| no_way(&name))?;
                let wanted: Vec<Channel> =
                    recipient.wants_by().filter(|channel| only.is_none_or(|only| only == *channel)).collect();
                if wanted.is_empty() {
                    return Err(no_way(&name));
                }
                let mut rows = Vec::new();
                for (channel, id) in ids.into_iter().filter(|(channel, _)| wanted.contains(channel)) {
                    let state = DispatchState::Waiting { next_at: now + DISPATCH_HELD };
                    let row = DispatchRow {
                        id,
                        org,
                        recipient: name.clone(),
                        channel,
                        is_test: true,
                        count: 0,
                        life: Dispatch { state, tries: 1, ..planned(now) },
                        created_at: now,
                        ended_at: None,
                        code: None,
                        why: None,
                        console: None,
                    };
                    dispatches::insert(tx, &row).await?;
                    rows.push(row);
                }
                audit::record(tx, act.changes(json!({ "channels": wanted }))).await?;
                Ok::<_, Fault>(rows)
            })
        })
        .await
}
