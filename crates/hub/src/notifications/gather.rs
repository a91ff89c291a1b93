//! Makes dispatches of what waits: one for each recipient and channel, however much it is.

use std::sync::Arc;

use sortie_rules::ids::DispatchId;
use sortie_rules::limits::{DISPATCH_BURST, DISPATCHES_AT_ONCE, NOTIFICATIONS_AT_ONCE, PAGE_MAX};
use sortie_rules::notifications::{Before, Waiting, planned, send_at};
use sortie_rules::time::Millis;
use sortie_store::dispatches::{self, DispatchRow};
use sortie_store::notifications::{self, Group};
use sortie_store::{StoreError, Tx, told};

use crate::app::App;
use crate::fault::Fault;

/// Makes them. Returns how many.
pub(super) async fn gather(app: &App) -> Result<u64, Fault> {
    let (mut total, mut after) = (0, None::<Group>);
    loop {
        let (now, from) = (app.clock.now(), after.take());
        let (groups, ready) = app
            .store
            .read(move |tx| {
                Box::pin(async move {
                    let groups = notifications::groups(tx, from.as_ref(), PAGE_MAX).await?;
                    let ready = ready(tx, &groups, now).await?;
                    Ok::<_, StoreError>((groups, ready))
                })
            })
            .await?;
        for some in portions(&ready) {
            total += make(app, some, now).await?;
        }
        if groups.len() < PAGE_MAX as usize {
            return Ok(total);
        }
        after = groups.into_iter().next_back();
    }
}

/// Those whose time has come.
async fn ready(tx: &mut Tx, groups: &[Group], now: Millis) -> Result<Vec<Group>, StoreError> {
    let mut ready = Vec::new();
    for group in groups {
        let Group { count, first_at, newest_at, .. } = *group;
        let waiting = Waiting { count, first_at, newest_at, before: Before::default() };
        // What went out before can only make it later.
        if send_at(waiting) > now {
            continue;
        }
        let made = dispatches::last_made(tx, group.org, &group.recipient, group.channel, DISPATCH_BURST).await?;
        let burst_at = made.get(DISPATCH_BURST as usize - 1).copied();
        let before = Before { last_at: made.first().copied(), burst_at };
        if send_at(Waiting { before, ..waiting }) <= now {
            ready.push(group.clone());
        }
    }
    Ok(ready)
}

/// As many groups as one transaction takes, again and again. One that is larger than that goes alone.
fn portions(mut groups: &[Group]) -> Vec<&[Group]> {
    let (groups_max, most) = (DISPATCHES_AT_ONCE as usize, NOTIFICATIONS_AT_ONCE as u64);
    let mut portions = Vec::new();
    while !groups.is_empty() {
        let sums = groups.iter().scan(0_u64, |sum, group| {
            *sum = sum.saturating_add(group.count);
            Some(*sum)
        });
        let fit = sums.take(groups_max).take_while(|sum| *sum <= most).count();
        let (portion, rest) = groups.split_at(fit.max(1));
        portions.push(portion);
        groups = rest;
    }
    portions
}

async fn make(app: &App, groups: &[Group], now: Millis) -> Result<u64, Fault> {
    let made: Vec<(DispatchId, Group)> = groups.iter().map(|group| (app.entropy.id(now), group.clone())).collect();
    let made = Arc::new(made);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let mut count = 0;
                for (id, group) in made.iter() {
                    count += u64::from(make_one(tx, *id, group, now).await?);
                }
                Ok::<_, Fault>(count)
            })
        })
        .await
}

async fn make_one(tx: &mut Tx, id: DispatchId, group: &Group, now: Millis) -> Result<bool, Fault> {
    let count = notifications::bind(tx, group, id).await?;
    if count == 0 {
        return Ok(false);
    }
    told::note(tx, id, now).await?;
    let row = DispatchRow {
        id,
        org: group.org,
        recipient: group.recipient.clone(),
        channel: group.channel,
        is_test: false,
        count,
        life: planned(now),
        created_at: now,
        ended_at: None,
        code: None,
        why: None,
        console: None,
    };
    dispatches::insert(tx, &row).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::DEFAULT_ORG;
    use sortie_rules::notifications::Channel;

    #[test]
    fn a_transaction_takes_so_much_and_one_that_is_larger_goes_alone() {
        let group = |count: u64| Group {
            org: DEFAULT_ORG,
            recipient: "noc".into(),
            channel: Channel::Mail,
            count,
            first_at: Millis(1),
            newest_at: Millis(1),
        };
        let cut = |counts: &[u64]| -> Vec<usize> {
            let groups: Vec<Group> = counts.iter().copied().map(group).collect();
            portions(&groups).iter().map(|portion| portion.len()).collect()
        };
        let most = NOTIFICATIONS_AT_ONCE as u64;
        assert_eq!(cut(&[]), [] as [usize; 0]);
        assert_eq!(cut(&[1, most - 1, 1, 3 * most, 2, 2]), [2, 1, 1, 2]);
        assert_eq!(cut(&[1; 450]), [200, 200, 50]);
    }
}
