//! Invites.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::{Millis, Span};
use sortie_store::invites::InviteRow;
use sortie_store::sites::SiteRow;
use sortie_store::{StoreError, Tx, invites, sites};

use crate::setup::{NOW, OTHER_ORG, enroll, id, labels, stories};

stories!(
    an_invite_is_read_back_as_it_was_made,
    invites_are_listed_newest_first,
    an_invite_admits_one,
    an_invite_is_withdrawn_once_and_by_its_org,
    invites_that_expired_long_ago_go,
    invites_to_a_site_are_counted_while_they_are_open_and_forget_it,
);

fn invite(number: u128) -> InviteRow {
    InviteRow {
        id: id(number),
        org: DEFAULT_ORG,
        node_name: "box-1".into(),
        site: None,
        host: None,
        kind: "host".into(),
        labels: labels(&[("ring", "first")]),
        replace: true,
        secret_hash: vec![7; 32],
        created_by: "token:admin".into(),
        created_at: NOW,
        expires_at: NOW + Span::hours(1),
        revoked_at: None,
        used_at: None,
        used_by_key: None,
        node: None,
    }
}

async fn an_invite_is_read_back_as_it_was_made(tx: &mut Tx) -> Result<(), StoreError> {
    let site = SiteRow { org: DEFAULT_ORG, key: "north".into(), name: "North".into(), created_at: NOW };
    sites::upsert(tx, &site).await?;
    let made = InviteRow { site: Some("north".into()), host: Some("box".into()), ..invite(1) };
    invites::insert(tx, &made).await?;
    assert_eq!(invites::get(tx, DEFAULT_ORG, id(1)).await?.as_ref(), Some(&made));
    assert_eq!(invites::get_any_org(tx, id(1)).await?.as_ref(), Some(&made));
    assert_eq!(invites::get(tx, OTHER_ORG, id(1)).await?, None);
    assert_eq!(invites::get_any_org(tx, id(2)).await?, None);
    Ok(())
}

async fn invites_are_listed_newest_first(tx: &mut Tx) -> Result<(), StoreError> {
    for number in [1, 3, 2] {
        invites::insert(tx, &invite(number)).await?;
    }
    assert_eq!(invites::list(tx, DEFAULT_ORG, None, 2).await?, [invite(3), invite(2)]);
    assert_eq!(invites::list(tx, DEFAULT_ORG, Some(id(2)), 2).await?, [invite(1)]);
    assert_eq!(invites::list(tx, OTHER_ORG, None, 2).await?, []);
    Ok(())
}

async fn an_invite_admits_one(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    invites::insert(tx, &invite(1)).await?;
    invites::hold(tx, id(1)).await?;
    assert!(invites::use_up(tx, id(1), "key-1", node, NOW).await?);
    assert!(!invites::use_up(tx, id(1), "key-2", node, NOW).await?);
    let used = invites::get_any_org(tx, id(1)).await?.expect("it is there");
    assert_eq!((used.used_at, used.used_by_key.as_deref(), used.node), (Some(NOW), Some("key-1"), Some(node)));
    Ok(())
}

async fn an_invite_is_withdrawn_once_and_by_its_org(tx: &mut Tx) -> Result<(), StoreError> {
    invites::insert(tx, &invite(1)).await?;
    assert!(!invites::revoke(tx, OTHER_ORG, id(1), NOW).await?);
    assert!(invites::revoke(tx, DEFAULT_ORG, id(1), NOW).await?);
    assert!(!invites::revoke(tx, DEFAULT_ORG, id(1), NOW).await?);
    Ok(())
}

async fn invites_that_expired_long_ago_go(tx: &mut Tx) -> Result<(), StoreError> {
    invites::insert(tx, &InviteRow { expires_at: Millis(10), ..invite(1) }).await?;
    invites::insert(tx, &InviteRow { expires_at: Millis(20), ..invite(2) }).await?;
    assert_eq!(invites::delete_older(tx, Millis(20)).await?, 1);
    assert_eq!(invites::get_any_org(tx, id(1)).await?, None);
    assert!(invites::get_any_org(tx, id(2)).await?.is_some());
    Ok(())
}

async fn invites_to_a_site_are_counted_while_they_are_open_and_forget_it(tx: &mut Tx) -> Result<(), StoreError> {
    for key in ["north", "south"] {
        let site = SiteRow { org: DEFAULT_ORG, key: key.into(), name: key.into(), created_at: NOW };
        sites::upsert(tx, &site).await?;
    }
    let to = |number, key: &str| InviteRow { site: Some(key.into()), ..invite(number) };
    for row in [to(1, "north"), to(2, "north"), to(3, "north"), to(4, "north"), to(5, "south"), invite(6)] {
        invites::insert(tx, &row).await?;
    }
    let node = enroll(tx, 1).await?;
    invites::use_up(tx, id(1), "key-1", node, NOW).await?;
    invites::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    assert_eq!(invites::count_open_to(tx, DEFAULT_ORG, "north", NOW).await?, 2);
    assert_eq!(invites::count_open_to(tx, DEFAULT_ORG, "north", NOW + Span::hours(1)).await?, 0);
    assert_eq!(invites::count_open_to(tx, OTHER_ORG, "north", NOW).await?, 0);
    assert_eq!(invites::forget_site(tx, OTHER_ORG, "north").await?, 0);
    assert_eq!(invites::forget_site(tx, DEFAULT_ORG, "north").await?, 4);
    assert_eq!(invites::get(tx, DEFAULT_ORG, id(1)).await?.and_then(|row| row.site), None);
    assert_eq!(invites::get(tx, DEFAULT_ORG, id(5)).await?.and_then(|row| row.site).as_deref(), Some("south"));
    Ok(())
}
