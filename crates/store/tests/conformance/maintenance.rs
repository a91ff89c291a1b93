//! Maintenance of nodes.

use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_rules::time::{Millis, Span};
use sortie_store::maintenance::{self, MaintenanceRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, id, stories};

stories!(
    what_is_not_over_is_found_by_its_end,
    an_org_ends_its_own_once_and_before_its_time,
    lists_have_the_newest_first,
    what_was_over_long_ago_goes_from_the_front,
);

fn at(minutes: i64) -> Millis {
    NOW + Span::minutes(minutes)
}

fn row(number: u128, org: OrgId, from: i64, until: i64) -> MaintenanceRow {
    MaintenanceRow {
        id: id(number),
        org,
        reason: "new disks".into(),
        selector: r#"{"all":true}"#.into(),
        begins_at: at(from),
        ends_at: at(until),
        made_by: "ann".into(),
        made_at: NOW,
        ended: None,
    }
}

async fn fill(tx: &mut Tx) -> Result<Vec<MaintenanceRow>, StoreError> {
    let rows = [(1, 0, 10), (2, 20, 30), (3, 5, 15)].map(|(number, from, until)| row(number, DEFAULT_ORG, from, until));
    for row in rows.iter().chain([&row(4, OTHER_ORG, 0, 10)]) {
        maintenance::insert(tx, row).await?;
    }
    Ok(rows.to_vec())
}

fn numbers(rows: &[MaintenanceRow]) -> Vec<u128> {
    rows.iter().map(|row| row.id.uuid().as_u128()).collect()
}

async fn what_is_not_over_is_found_by_its_end(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = fill(tx).await?;
    assert_eq!(maintenance::get(tx, DEFAULT_ORG, id(1)).await?.as_ref(), Some(&rows[0]));
    assert_eq!(maintenance::get(tx, OTHER_ORG, id(1)).await?, None);
    for (minutes, expected) in [(0, vec![1, 3, 2]), (9, vec![1, 3, 2]), (10, vec![3, 2]), (30, vec![])] {
        assert_eq!(numbers(&maintenance::not_over(tx, DEFAULT_ORG, at(minutes)).await?), expected, "{minutes}");
        assert_eq!(maintenance::count_not_over(tx, DEFAULT_ORG, at(minutes)).await?, expected.len() as u64);
    }
    Ok(())
}

async fn an_org_ends_its_own_once_and_before_its_time(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = fill(tx).await?;
    assert!(!maintenance::end(tx, OTHER_ORG, id(1), "eve", at(1)).await?);
    assert!(!maintenance::end(tx, DEFAULT_ORG, id(1), "ben", at(10)).await?, "it is over by itself");
    assert!(maintenance::end(tx, DEFAULT_ORG, id(1), "ben", at(4)).await?);
    assert!(!maintenance::end(tx, DEFAULT_ORG, id(1), "cat", at(5)).await?, "twice is once");
    let ended = MaintenanceRow { ended: Some(("ben".into(), at(4))), ..rows[0].clone() };
    assert_eq!(maintenance::get(tx, DEFAULT_ORG, id(1)).await?, Some(ended.clone()));
    assert_eq!(numbers(&maintenance::not_over(tx, DEFAULT_ORG, at(4)).await?), [3, 2]);
    let other = MaintenanceRow { id: id(9), ..ended };
    maintenance::insert(tx, &other).await?;
    assert_eq!(maintenance::get(tx, DEFAULT_ORG, id(9)).await?, Some(other));
    Ok(())
}

async fn lists_have_the_newest_first(tx: &mut Tx) -> Result<(), StoreError> {
    fill(tx).await?;
    assert_eq!(numbers(&maintenance::list(tx, DEFAULT_ORG, None, 9).await?), [3, 2, 1]);
    assert_eq!(numbers(&maintenance::list(tx, DEFAULT_ORG, Some(id(3)), 1).await?), [2]);
    assert_eq!(numbers(&maintenance::list(tx, OTHER_ORG, None, 9).await?), [4]);
    Ok(())
}

async fn what_was_over_long_ago_goes_from_the_front(tx: &mut Tx) -> Result<(), StoreError> {
    fill(tx).await?;
    assert_eq!(maintenance::delete_over_before(tx, at(10), 9).await?, 0);
    assert_eq!(maintenance::delete_over_before(tx, at(11), 1).await?, 1);
    assert_eq!(maintenance::delete_over_before(tx, at(16), 9).await?, 2);
    assert_eq!(numbers(&maintenance::list(tx, DEFAULT_ORG, None, 9).await?), [2]);
    Ok(())
}
