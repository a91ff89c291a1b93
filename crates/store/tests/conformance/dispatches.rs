//! Dispatches in their turn.

use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_rules::notifications::{Channel, Dispatch, DispatchState, end, planned};
use sortie_rules::time::{Millis, Span};
use sortie_store::dispatches::{self, ConsoleText, DispatchRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, id, stories};

stories!(
    dispatches_to_one_recipient_go_one_after_the_other,
    a_test_neither_waits_nor_is_waited_for,
    what_stands_in_a_console_is_written_when_it_is_known,
);

fn at(seconds: i64) -> Millis {
    NOW + Span::seconds(seconds)
}

fn dispatch(number: u128, org: OrgId, recipient: &str, channel: Channel, next_at: Millis) -> DispatchRow {
    DispatchRow {
        id: id(number),
        org,
        recipient: recipient.into(),
        channel,
        is_test: false,
        count: 1,
        life: Dispatch { state: DispatchState::Waiting { next_at }, ..planned(NOW) },
        created_at: NOW,
        ended_at: None,
        code: None,
        why: None,
        console: None,
    }
}

async fn due(tx: &mut Tx, channel: Channel, now: Millis) -> Result<Vec<u128>, StoreError> {
    let due = dispatches::due_by(tx, channel, now, 9).await?;
    Ok(due.iter().map(|row| row.id.uuid().as_u128()).collect())
}

async fn dispatches_to_one_recipient_go_one_after_the_other(tx: &mut Tx) -> Result<(), StoreError> {
    let first = dispatch(1, DEFAULT_ORG, "noc", Channel::Mail, at(60));
    for row in [
        first.clone(),
        dispatch(2, DEFAULT_ORG, "noc", Channel::Mail, NOW),
        dispatch(3, DEFAULT_ORG, "noc", Channel::Mail, NOW),
        dispatch(4, DEFAULT_ORG, "noc", Channel::Webhook, NOW),
        dispatch(5, DEFAULT_ORG, "ann", Channel::Mail, at(-1)),
        dispatch(6, OTHER_ORG, "noc", Channel::Mail, at(-2)),
    ] {
        dispatches::insert(tx, &row).await?;
    }
    assert_eq!(due(tx, Channel::Mail, NOW).await?, [6, 5], "the first to the noc backs off, and others wait for it");
    assert_eq!(due(tx, Channel::Webhook, NOW).await?, [4], "another way is another turn");
    assert_eq!(due(tx, Channel::Console, NOW).await?, [] as [u128; 0]);
    assert_eq!(dispatches::due_by(tx, Channel::Mail, NOW, 1).await?.len(), 1);
    assert_eq!(due(tx, Channel::Mail, at(60)).await?, [6, 5, 1]);
    let over = DispatchRow { life: end(first.life, Ok(()), at(60), 0), ended_at: Some(at(60)), ..first.clone() };
    assert!(dispatches::update(tx, &first.life, &over).await?);
    assert_eq!(due(tx, Channel::Mail, at(60)).await?, [6, 5, 2], "one at a time");
    Ok(())
}

async fn a_test_neither_waits_nor_is_waited_for(tx: &mut Tx) -> Result<(), StoreError> {
    for (number, is_test, next_at) in [(1, true, at(60)), (2, false, NOW), (3, true, at(-1)), (4, false, NOW)] {
        let row = dispatch(number, DEFAULT_ORG, "noc", Channel::Mail, next_at);
        dispatches::insert(tx, &DispatchRow { is_test, ..row }).await?;
    }
    assert_eq!(due(tx, Channel::Mail, NOW).await?, [3, 2]);
    Ok(())
}

async fn what_stands_in_a_console_is_written_when_it_is_known(tx: &mut Tx) -> Result<(), StoreError> {
    let row = dispatch(1, DEFAULT_ORG, "ann", Channel::Console, NOW);
    dispatches::insert(tx, &row).await?;
    assert_eq!(dispatches::unread(tx, DEFAULT_ORG, "ann").await?, 0);
    let console = ConsoleText { person: "ann".into(), title: "one".into(), text: "two".into(), read_at: None };
    let life = end(row.life, Ok(()), at(1), 0);
    let told = DispatchRow { life, ended_at: Some(at(1)), console: Some(console), ..row.clone() };
    assert!(dispatches::update(tx, &row.life, &told).await?);
    assert_eq!(dispatches::get(tx, row.id).await?, Some(told));
    assert_eq!(dispatches::unread(tx, DEFAULT_ORG, "ann").await?, 1);
    Ok(())
}
