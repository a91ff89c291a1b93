//! Who is told of what, what was held back, and what goes out.

use sortie_rules::alarms::Severity;
use sortie_rules::ids::{AlarmId, DEFAULT_ORG, DispatchId};
use sortie_rules::notifications::{Beginning, Channel, begin, planned};
use sortie_rules::time::{Millis, Span};
use sortie_store::alarms::{self, AlarmKey};
use sortie_store::dispatches::{self, ConsoleText, DispatchRow};
use sortie_store::notification_rules::{self, NotificationRuleRow};
use sortie_store::notifications::{self, Due, NotificationFilter, NotificationRow, NotificationState, Tells};
use sortie_store::recipients::{self, RecipientRow};
use sortie_store::told::{self, ToldOf};
use sortie_store::{StoreError, Tx};

use crate::alarms::open;
use crate::setup::{NOW, OTHER_ORG, id, stories};

stories!(
    a_recipient_is_kept_with_its_secret,
    an_org_says_what_it_likes_of_notification_rules,
    an_event_is_told_once_to_each_by_each_way,
    what_waits_goes_out_together_and_ends_together,
    what_is_held_back_is_told_when_its_time_has_come,
    who_is_gone_is_told_nothing,
    what_waits_waits_no_longer_when_the_clock_is_put_back,
    who_was_told_of_what_still_stands_is_not_forgotten,
    what_was_told_is_known_of_each,
    a_dispatch_is_changed_by_whoever_has_read_it,
    a_console_is_read_by_its_person_alone,
    what_was_told_long_ago_goes,
    maintenance_holds_on_and_may_end_early,
);

fn at(seconds: i64) -> Millis {
    NOW + Span::seconds(seconds)
}

fn tells(event: u64, alarm: AlarmId, opened: bool) -> Tells {
    Tells {
        event,
        alarm,
        alarm_rule: "node.down".into(),
        severity: Severity::Critical,
        node: Some(id(1)),
        node_name: Some("north".into()),
        site: None,
        subject: String::new(),
        summary: "It is so.".into(),
        opened,
        at: NOW,
    }
}

fn waiting(number: u128, alarm: u128, recipient: &str, channel: Channel) -> NotificationRow {
    NotificationRow {
        id: id(number),
        org: DEFAULT_ORG,
        tells: tells(number.try_into().unwrap_or(0), id(alarm), true),
        recipient: recipient.into(),
        channel,
        rule: "operators".into(),
        state: NotificationState::Waiting { since: NOW, dispatch: None },
        why: None,
        created_at: NOW,
    }
}

fn held(number: u128, alarm: u128, recipient: &str, due_at: Option<Millis>) -> NotificationRow {
    let state = NotificationState::HeldBack { due_at };
    NotificationRow { state, why: Some("cool_down".into()), ..waiting(number, alarm, recipient, Channel::Mail) }
}

fn dispatch(number: u128, recipient: &str, channel: Channel) -> DispatchRow {
    DispatchRow {
        id: id(number),
        org: DEFAULT_ORG,
        recipient: recipient.into(),
        channel,
        is_test: false,
        count: 1,
        life: planned(NOW),
        created_at: NOW,
        ended_at: None,
        code: None,
        why: None,
        console: None,
    }
}

async fn all(tx: &mut Tx, filter: NotificationFilter) -> Result<Vec<u128>, StoreError> {
    let rows = notifications::list(tx, DEFAULT_ORG, &filter, None, 100).await?;
    Ok(rows.iter().map(|row| row.id.uuid().as_u128()).collect())
}

async fn a_recipient_is_kept_with_its_secret(tx: &mut Tx) -> Result<(), StoreError> {
    let noc = RecipientRow {
        org: DEFAULT_ORG,
        name: "noc".into(),
        recipient: "{}".into(),
        secret: Some(vec![1, 2]),
        secret_version: 1,
        webhook_gone_at: None,
        changed_by: "ann".into(),
        changed_at: NOW,
    };
    recipients::put(tx, &noc).await?;
    recipients::put(tx, &RecipientRow { name: "a".into(), secret: None, secret_version: 0, ..noc.clone() }).await?;
    assert_eq!(recipients::get(tx, DEFAULT_ORG, "noc").await?, Some(noc.clone()));
    assert_eq!(recipients::get(tx, OTHER_ORG, "noc").await?, None);
    assert_eq!((recipients::count(tx, DEFAULT_ORG).await?, recipients::count(tx, OTHER_ORG).await?), (2, 0));
    assert_eq!(recipients::list(tx, DEFAULT_ORG, None, 1).await?[0].name, "a");
    assert_eq!(recipients::list(tx, DEFAULT_ORG, Some("a"), 9).await?, std::slice::from_ref(&noc));
    assert!(recipients::webhook_is_gone(tx, DEFAULT_ORG, "noc", at(5)).await?);
    assert!(!recipients::webhook_is_gone(tx, DEFAULT_ORG, "noc", at(6)).await?, "it is known");
    let gone = RecipientRow { webhook_gone_at: Some(at(5)), ..noc.clone() };
    assert_eq!(recipients::get(tx, DEFAULT_ORG, "noc").await?, Some(gone));
    let anew = RecipientRow { secret: Some(vec![3]), secret_version: 2, changed_at: at(9), ..noc };
    recipients::put(tx, &anew).await?;
    assert_eq!(recipients::get(tx, DEFAULT_ORG, "noc").await?, Some(anew));
    assert!(recipients::delete(tx, DEFAULT_ORG, "noc").await?);
    assert!(!recipients::delete(tx, DEFAULT_ORG, "noc").await?);
    Ok(())
}

async fn an_org_says_what_it_likes_of_notification_rules(tx: &mut Tx) -> Result<(), StoreError> {
    let off = NotificationRuleRow {
        org: DEFAULT_ORG,
        name: "operators".into(),
        rule: None,
        changed_by: "ann".into(),
        changed_at: NOW,
    };
    let own = NotificationRuleRow { name: "own".into(), rule: Some("{}".into()), ..off.clone() };
    notification_rules::put(tx, &own).await?;
    notification_rules::put(tx, &NotificationRuleRow { rule: Some("1".into()), ..off.clone() }).await?;
    notification_rules::put(tx, &off).await?;
    assert_eq!(notification_rules::get(tx, DEFAULT_ORG, "operators").await?, Some(off.clone()));
    assert_eq!(notification_rules::list(tx, DEFAULT_ORG).await?, [off, own]);
    assert_eq!(notification_rules::list(tx, OTHER_ORG).await?, []);
    assert!(notification_rules::delete(tx, DEFAULT_ORG, "own").await?);
    assert!(!notification_rules::delete(tx, DEFAULT_ORG, "own").await?);
    Ok(())
}

async fn an_event_is_told_once_to_each_by_each_way(tx: &mut Tx) -> Result<(), StoreError> {
    let first = waiting(1, 1, "noc", Channel::Mail);
    let hook = NotificationRow { tells: first.tells.clone(), ..waiting(2, 1, "noc", Channel::Webhook) };
    let end = NotificationRow {
        tells: Tells { site: Some("homes".into()), ..tells(7, id(1), false) },
        ..waiting(3, 1, "noc", Channel::Mail)
    };
    notifications::insert_all(tx, &[]).await?;
    notifications::insert_all(tx, &[first.clone(), hook.clone(), end.clone()]).await?;
    notifications::insert_all(tx, &[NotificationRow { id: id(9), ..first.clone() }]).await?;
    notifications::insert_all(tx, &[held(4, 2, "other", None)]).await?;
    let whole = notifications::list(tx, DEFAULT_ORG, &NotificationFilter::default(), None, 100).await?;
    assert_eq!(whole, [held(4, 2, "other", None), end, hook, first]);
    assert_eq!(notifications::list(tx, OTHER_ORG, &NotificationFilter::default(), None, 9).await?, []);
    let none = NotificationFilter::default;
    assert_eq!(all(tx, NotificationFilter { state: Some("held_back"), ..none() }).await?, [4]);
    assert_eq!(all(tx, NotificationFilter { recipient: Some("noc".into()), ..none() }).await?, [3, 2, 1]);
    assert_eq!(all(tx, NotificationFilter { channel: Some(Channel::Webhook), ..none() }).await?, [2]);
    let of_alarm = NotificationFilter { alarm: Some(id(1)), channel: Some(Channel::Mail), ..none() };
    assert_eq!(all(tx, of_alarm.clone()).await?, [3, 1]);
    let narrow = NotificationFilter { state: Some("sent"), recipient: Some("noc".into()), ..of_alarm };
    assert_eq!(all(tx, narrow).await?, [] as [u128; 0]);
    let before = notifications::list(tx, DEFAULT_ORG, &none(), Some(id(3)), 1).await?;
    assert_eq!(before[0].id, id(2));
    Ok(())
}

async fn what_waits_goes_out_together_and_ends_together(tx: &mut Tx) -> Result<(), StoreError> {
    let later = NotificationRow {
        state: NotificationState::Waiting { since: at(9), dispatch: None },
        ..waiting(2, 2, "noc", Channel::Mail)
    };
    let rows = [waiting(1, 1, "noc", Channel::Mail), later, waiting(3, 1, "noc", Channel::Webhook)];
    notifications::insert_all(tx, &rows).await?;
    let groups = notifications::groups(tx, None, 9).await?;
    assert_eq!(groups.iter().map(|group| group.channel).collect::<Vec<_>>(), [Channel::Mail, Channel::Webhook]);
    let mail = &groups[0];
    assert_eq!((mail.count, mail.first_at, mail.newest_at), (2, NOW, at(9)));
    assert_eq!(notifications::groups(tx, Some(mail), 9).await?, groups[1..]);
    let out: DispatchId = id(100);
    assert_eq!(notifications::bind(tx, mail, out).await?, 2);
    assert_eq!(notifications::bind(tx, mail, id(101)).await?, 0);
    assert_eq!(notifications::groups(tx, None, 9).await?, groups[1..]);
    let first = notifications::first_of(tx, out, 1).await?;
    assert_eq!((first.len(), &first[0].tells, &first[0].data), (1, &rows[0].tells, &None));
    let tally = notifications::tally(tx, out).await?;
    assert_eq!((tally.len(), tally[0].count, tally[0].opened, tally[0].rule.as_str()), (1, 2, true, "operators"));
    let became = notifications::beginnings(tx, &[id(1), id(7)]).await?;
    let of = |channel| became.iter().find(|one| one.channel == channel).map(|one| one.became);
    assert_eq!((of(Channel::Mail), of(Channel::Webhook)), (Some(Beginning::OnItsWay), Some(Beginning::Waits)));
    assert_eq!(notifications::beginnings(tx, &[]).await?, []);
    assert_eq!(notifications::end_all(tx, out, "failed", Some("mail_refused"), at(20)).await?, 2);
    assert_eq!(notifications::end_all(tx, out, "sent", None, at(30)).await?, 0);
    let ended = notifications::list(tx, DEFAULT_ORG, &NotificationFilter::default(), Some(id(2)), 1).await?;
    let over = NotificationState::Over { how: "failed".into(), dispatch: out, ended_at: at(20) };
    assert_eq!((&ended[0].state, ended[0].why.as_deref()), (&over, Some("mail_refused")));
    Ok(())
}

async fn what_is_held_back_is_told_when_its_time_has_come(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = [held(1, 1, "noc", Some(at(5))), held(2, 2, "noc", Some(at(6))), held(3, 3, "noc", None)];
    notifications::insert_all(tx, &rows).await?;
    notifications::insert_all(tx, &[waiting(4, 4, "noc", Channel::Mail)]).await?;
    assert_eq!(notifications::due(tx, at(4), 9).await?, []);
    assert_eq!(notifications::drop_beginnings(tx, &[id(2), id(4)]).await?, 2);
    assert_eq!(notifications::drop_beginnings(tx, &[]).await?, 0);
    assert_eq!(go(tx, at(6)).await?, 1, "one is over");
    let whole = notifications::list(tx, DEFAULT_ORG, &NotificationFilter::default(), None, 9).await?;
    let said: Vec<_> = whole.iter().rev().map(|row| (row.state.clone(), row.why.as_deref())).collect();
    let for_good = NotificationState::HeldBack { due_at: None };
    let waits = NotificationState::Waiting { since: at(6), dispatch: None };
    assert_eq!(said[0], (waits, Some("cool_down")));
    assert_eq!(said[1..3], [(for_good.clone(), Some("cool_down")), (for_good.clone(), Some("cool_down"))]);
    assert_eq!(said[3], (for_good, Some("over_before_told")));
    Ok(())
}

/// Lets go what is due.
async fn go(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    let due: Vec<_> = notifications::due(tx, now, 9).await?.into_iter().map(|due| due.id).collect();
    notifications::let_go(tx, &due, now).await
}

async fn maintenance_holds_on_and_may_end_early(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = [held(1, 1, "noc", Some(at(5))), held(2, 2, "noc", Some(at(6))), held(3, 3, "noc", Some(at(90)))];
    notifications::insert_all(tx, &rows).await?;
    let of = |number| Due {
        id: id(number),
        org: DEFAULT_ORG,
        node: Some(id(1)),
        alarm_rule: "node.down".into(),
        severity: Severity::Critical,
        recipient: "noc".into(),
        channel: Channel::Mail,
        rule: "operators".into(),
    };
    assert_eq!(notifications::due(tx, at(6), 9).await?, [of(1), of(2)], "the longest due first");
    assert_eq!(notifications::due(tx, at(6), 1).await?, [of(1)]);
    let until = [(id(1), at(60)), (id(2), at(70)), (id(3), at(60))];
    assert_eq!(notifications::hold_on(tx, &until, "maintenance", at(6)).await?, 2, "the third is held back anyway");
    assert_eq!(notifications::hold_on(tx, &[], "maintenance", at(6)).await?, 0);
    assert_eq!(notifications::let_go(tx, &[id(1), id(2)], at(6)).await?, 0, "it has been held back again");
    let of = "maintenance";
    assert_eq!(notifications::look_again(tx, OTHER_ORG, of, at(7), None, 2).await?, None);
    assert_eq!(notifications::due(tx, at(7), 9).await?, []);
    // Part by part, until there is no more.
    assert_eq!(notifications::look_again(tx, DEFAULT_ORG, of, at(7), None, 2).await?, Some(id(2)));
    assert_eq!(notifications::look_again(tx, DEFAULT_ORG, of, at(7), Some(id(2)), 2).await?, None);
    assert_eq!(notifications::hold_for_good(tx, &[id(1)], "not_wanted", at(7)).await?, 1);
    assert_eq!(notifications::hold_for_good(tx, &[], "not_wanted", at(7)).await?, 0);
    assert_eq!(go(tx, at(7)).await?, 1, "what waits for its cool-down goes on doing so");
    assert_eq!(notifications::let_go(tx, &[], at(7)).await?, 0);
    Ok(())
}

async fn who_is_gone_is_told_nothing(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = [waiting(1, 1, "noc", Channel::Mail), held(2, 2, "noc", Some(at(5))), held(3, 3, "b", Some(at(5)))];
    notifications::insert_all(tx, &rows).await?;
    assert_eq!(notifications::drop_all_for(tx, DEFAULT_ORG, "noc", "recipient_removed", at(4)).await?, 2);
    assert_eq!(notifications::groups(tx, None, 9).await?, []);
    assert_eq!(go(tx, at(5)).await?, 1);
    // What is on its way does not wait for the next who gets that name.
    notifications::insert_all(tx, &[waiting(4, 4, "noc", Channel::Mail)]).await?;
    let out = dispatch(100, "noc", Channel::Mail);
    dispatches::insert(tx, &out).await?;
    let groups = notifications::groups(tx, None, 9).await?;
    let group = groups.iter().find(|group| group.recipient == "noc").expect("it waits");
    notifications::bind(tx, group, out.id).await?;
    assert_eq!(notifications::drop_all_for(tx, DEFAULT_ORG, "noc", "recipient_removed", at(6)).await?, 1);
    let gone = dispatches::get(tx, out.id).await?.expect("it is kept");
    assert_eq!((gone.code.as_deref(), gone.ended_at), (Some("recipient_removed"), Some(at(6))));
    assert!(!dispatches::update(tx, &out.life, &out).await?, "a try that is under way finds it ended");
    Ok(())
}

async fn what_waits_waits_no_longer_when_the_clock_is_put_back(tx: &mut Tx) -> Result<(), StoreError> {
    notifications::insert_all(tx, &[waiting(1, 1, "noc", Channel::Mail), held(2, 2, "noc", Some(at(5)))]).await?;
    dispatches::insert(tx, &dispatch(100, "b", Channel::Mail)).await?;
    notifications::move_times(tx, -60_000).await?;
    assert_eq!(notifications::groups(tx, None, 9).await?[0].first_at, at(-60));
    assert_eq!(notifications::due(tx, at(-55), 9).await?.len(), 1);
    let moved = dispatches::get(tx, id(100)).await?.expect("it is there");
    assert_eq!(moved.life, planned(at(-60)));
    // After a leap forward it is no older than it was, and due if its time has come.
    notifications::move_times(tx, 86_400_000).await?;
    assert_eq!(dispatches::due_by(tx, Channel::Mail, at(-60), 9).await?.len(), 1);
    let moved = dispatches::get(tx, id(100)).await?.expect("it is there");
    assert_ne!(moved.life, planned(at(-60)));
    assert_eq!(notifications::due(tx, at(-55), 9).await?.len(), 1);
    Ok(())
}

async fn what_was_told_is_known_of_each(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = [waiting(1, 1, "noc", Channel::Mail), waiting(2, 2, "noc", Channel::Mail)];
    notifications::insert_all(tx, &rows).await?;
    let out: DispatchId = id(100);
    let groups = notifications::groups(tx, None, 9).await?;
    notifications::bind(tx, &groups[0], out).await?;
    assert_eq!(told::note(tx, out, at(1)).await?, 1, "both are of the same");
    assert_eq!(told::note(tx, out, at(2)).await?, 1);
    let of = ToldOf { org: DEFAULT_ORG, rule: "node.down".into(), node: Some(id(1)), subject: String::new() };
    let other = ToldOf { node: None, ..of.clone() };
    let known = told::of(tx, &[of.clone(), other]).await?;
    assert_eq!(known.len(), 1);
    assert_eq!((&known[0].of, known[0].recipient.as_str(), known[0].at), (&of, "noc", at(2)));
    assert_eq!(told::of(tx, &[]).await?, []);
    assert_eq!(told::delete_before(tx, at(2), 9).await?, 0);
    assert_eq!(told::delete_before(tx, at(3), 9).await?, 1);
    Ok(())
}

async fn a_dispatch_is_changed_by_whoever_has_read_it(tx: &mut Tx) -> Result<(), StoreError> {
    let row = dispatch(1, "noc", Channel::Mail);
    dispatches::insert(tx, &row).await?;
    assert_eq!(dispatches::get(tx, row.id).await?.as_ref(), Some(&row));
    assert_eq!(dispatches::due_by(tx, Channel::Mail, at(-1), 9).await?, []);
    assert_eq!(dispatches::due_by(tx, Channel::Mail, NOW, 9).await?, std::slice::from_ref(&row));
    let later = DispatchRow { created_at: at(1), ..dispatch(2, "noc", Channel::Mail) };
    dispatches::insert(tx, &later).await?;
    assert_eq!(dispatches::last_made(tx, DEFAULT_ORG, "noc", Channel::Mail, 9).await?, [at(1), NOW]);
    assert_eq!(dispatches::last_made(tx, DEFAULT_ORG, "noc", Channel::Mail, 1).await?, [at(1)]);
    assert_eq!(dispatches::last_made(tx, DEFAULT_ORG, "noc", Channel::Webhook, 9).await?, []);
    let begun = DispatchRow {
        life: begin(row.life, NOW).expect("it is due"),
        code: Some("mail_server".into()),
        why: Some("it is away".into()),
        ..row.clone()
    };
    assert!(dispatches::update(tx, &row.life, &begun).await?);
    assert!(!dispatches::update(tx, &row.life, &begun).await?, "it was read before it changed");
    assert_eq!(dispatches::get(tx, row.id).await?, Some(begun));
    Ok(())
}

async fn a_console_is_read_by_its_person_alone(tx: &mut Tx) -> Result<(), StoreError> {
    let of = |number, person: &str| {
        let console = ConsoleText { person: person.into(), title: "one".into(), text: "two".into(), read_at: None };
        let life = sortie_rules::notifications::end(planned(NOW), Ok(()), NOW, 0);
        DispatchRow { life, ended_at: Some(NOW), console: Some(console), ..dispatch(number, "ann", Channel::Console) }
    };
    for (number, person) in [(1, "ann"), (2, "ann"), (3, "ben"), (4, "ann")] {
        dispatches::insert(tx, &of(number, person)).await?;
    }
    let ann = (DEFAULT_ORG, "ann");
    assert_eq!(dispatches::unread(tx, DEFAULT_ORG, "ann").await?, 3);
    assert_eq!(dispatches::unread(tx, OTHER_ORG, "ann").await?, 0);
    let page = dispatches::of_person(tx, ann, false, None, 2).await?;
    assert_eq!(page, [of(4, "ann"), of(2, "ann")]);
    assert!(!dispatches::read_one(tx, DEFAULT_ORG, "ann", id(3), at(1)).await?, "it is somebody else's");
    assert!(dispatches::read_one(tx, DEFAULT_ORG, "ann", id(2), at(1)).await?);
    assert!(!dispatches::read_one(tx, DEFAULT_ORG, "ann", id(2), at(2)).await?);
    let unread = dispatches::of_person(tx, ann, true, Some(id(4)), 9).await?;
    assert_eq!(unread, [of(1, "ann")]);
    assert_eq!(dispatches::read_until(tx, DEFAULT_ORG, "ann", id(3), at(3)).await?, 1);
    assert_eq!(
        (dispatches::unread(tx, DEFAULT_ORG, "ann").await?, dispatches::unread(tx, DEFAULT_ORG, "ben").await?),
        (1, 1)
    );
    Ok(())
}

async fn what_was_told_long_ago_goes(tx: &mut Tx) -> Result<(), StoreError> {
    notifications::insert_all(tx, &[held(1, 1, "noc", None)]).await?;
    let over = sortie_rules::notifications::end(planned(NOW), Ok(()), NOW, 0);
    dispatches::insert(tx, &dispatch(1, "noc", Channel::Mail)).await?;
    dispatches::insert(tx, &DispatchRow { life: over, ended_at: Some(NOW), ..dispatch(2, "noc", Channel::Mail) })
        .await?;
    assert_eq!(notifications::delete_before(tx, NOW, 9).await?, 0);
    assert_eq!(notifications::delete_before(tx, at(1), 9).await?, 1);
    assert_eq!(dispatches::delete_before(tx, at(1), 9).await?, 1, "one is on its way");
    Ok(())
}

async fn who_was_told_of_what_still_stands_is_not_forgotten(tx: &mut Tx) -> Result<(), StoreError> {
    let key = AlarmKey { org: DEFAULT_ORG, rule: "node.down".into(), node: Some(id(1)), subject: String::new() };
    alarms::insert_all(tx, &[open(1, key)]).await?;
    notifications::insert_all(tx, &[held(1, 1, "noc", None), held(2, 2, "noc", None), held(3, 3, "noc", Some(at(5)))])
        .await?;
    assert_eq!(notifications::delete_before(tx, at(1), 9).await?, 1, "of what is over, and held back for good");
    let left = notifications::list(tx, DEFAULT_ORG, &NotificationFilter::default(), None, 9).await?;
    assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [id(3), id(1)]);
    Ok(())
}
