//! Lists of tasks for people.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::tasks::{self as rules, Code, EndedBy, State, Status, Task};
use sortie_rules::time::{Millis, Span};
use sortie_store::nodes::NodeRow;
use sortie_store::tasks::{Stamps, TaskCounts, TaskFilter, TaskRow};
use sortie_store::{StoreError, Tx, nodes, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, node, numbers, stories, task};

stories!(
    tasks_are_listed_newest_first_page_by_page,
    a_list_of_tasks_is_narrowed_by_each_part_of_its_filter,
    nobody_sees_the_tasks_of_another_org,
    tasks_are_counted_by_where_they_stand,
);

/// Eight tasks: 1 to 7 in each state in the order of `Status::ALL`, odd ones for node 1, even ones
/// for node 2; 8 is dead, for node 1 and of another type.
async fn one_of_each(tx: &mut Tx) -> Result<(), StoreError> {
    let nodes = [enroll(tx, 2).await?, enroll(tx, 1).await?];
    let code = Code::new("boom");
    let ends = [
        None,
        None,
        Some(State::Completed),
        Some(State::Failed { code: code.clone(), by: EndedBy::Agent }),
        Some(State::Rejected { code }),
        Some(State::Cancelled { by: EndedBy::Agent }),
        Some(State::Expired),
        Some(State::Failed { code: Code::new(Code::LEASE_EXPIRED), by: EndedBy::Hub }),
    ];
    for (index, end) in ends.into_iter().enumerate() {
        let number = index as u128 + 1;
        let node = if number == 8 { nodes[1] } else { nodes[(number % 2) as usize] };
        let type_name = if number == 8 { "net.ping" } else { "sys.info" }.to_owned();
        let waiting = TaskRow { type_name, ..task(number, node) };
        tasks::insert(tx, &waiting).await?;
        if number == 1 {
            continue;
        }
        let held = rules::claim(&waiting.life, NOW).unwrap();
        assert!(tasks::claim(tx, waiting.id, &waiting.life, &held, 1, NOW).await?);
        if let Some(state) = end {
            let ended = Task { state, ..held.clone() };
            let stamps = Stamps { finished_at: Some(NOW), message: Some("so"), ..Stamps::default() };
            assert!(tasks::update(tx, waiting.id, &held, &ended, &stamps).await?);
        }
    }
    Ok(())
}

async fn listed(tx: &mut Tx, filter: TaskFilter) -> Result<Vec<u128>, StoreError> {
    let rows = tasks::list(tx, DEFAULT_ORG, &filter, None, 100).await?;
    Ok(numbers(rows.iter().map(|row| &row.id)))
}

async fn tasks_are_listed_newest_first_page_by_page(tx: &mut Tx) -> Result<(), StoreError> {
    one_of_each(tx).await?;
    for (filter, all) in [
        (TaskFilter::default(), vec![8, 7, 6, 5, 4, 3, 2, 1]),
        (TaskFilter { node: Some(id(1)), ..TaskFilter::default() }, vec![8, 7, 5, 3, 1]),
    ] {
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = tasks::list(tx, DEFAULT_ORG, &filter, before, 3).await?;
            seen.extend(numbers(page.iter().map(|row| &row.id)));
            match page.last() {
                Some(last) => before = Some(last.id),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }
    Ok(())
}

async fn a_list_of_tasks_is_narrowed_by_each_part_of_its_filter(tx: &mut Tx) -> Result<(), StoreError> {
    one_of_each(tx).await?;
    let any = TaskFilter::default();
    for (status, expected) in Status::ALL.into_iter().zip([
        (vec![1], vec![1]),
        (vec![2], vec![]),
        (vec![3], vec![3]),
        (vec![8, 4], vec![8]),
        (vec![5], vec![5]),
        (vec![6], vec![]),
        (vec![7], vec![7]),
    ]) {
        let of_org = TaskFilter { status: vec![status], ..any.clone() };
        let of_node = TaskFilter { node: Some(id(1)), ..of_org.clone() };
        assert_eq!((listed(tx, of_org).await?, listed(tx, of_node).await?), expected, "{status:?}");
    }
    let two = TaskFilter { status: vec![Status::Pending, Status::Failed], ..any.clone() };
    assert_eq!(listed(tx, two).await?, [8, 4, 1]);
    assert_eq!(listed(tx, TaskFilter { type_name: Some("net.ping".into()), ..any.clone() }).await?, [8]);
    assert_eq!(listed(tx, TaskFilter { dead: true, ..any.clone() }).await?, [8]);
    assert_eq!(listed(tx, TaskFilter { dead: true, node: Some(id(2)), ..any.clone() }).await?, []);
    assert_eq!(listed(tx, TaskFilter { dead: true, status: vec![Status::Expired], ..any }).await?, []);
    Ok(())
}

async fn nobody_sees_the_tasks_of_another_org(tx: &mut Tx) -> Result<(), StoreError> {
    one_of_each(tx).await?;
    nodes::insert(tx, &NodeRow { org: OTHER_ORG, ..node(9) }).await?;
    tasks::insert(tx, &TaskRow { org: OTHER_ORG, ..task(9, id(9)) }).await?;
    let theirs = tasks::list(tx, OTHER_ORG, &TaskFilter::default(), None, 10).await?;
    assert_eq!(numbers(theirs.iter().map(|row| &row.id)), [9]);
    let not_theirs = TaskFilter { node: Some(id(1)), ..TaskFilter::default() };
    assert_eq!(tasks::list(tx, OTHER_ORG, &not_theirs, None, 10).await?, []);
    Ok(())
}

async fn tasks_are_counted_by_where_they_stand(tx: &mut Tx) -> Result<(), StoreError> {
    one_of_each(tx).await?;
    let all = TaskCounts {
        pending: 1,
        in_progress: 1,
        dead: 1,
        completed: 1,
        failed: 2,
        rejected: 1,
        cancelled: 1,
        expired: 1,
    };
    // Their ids are as old as ids can be.
    assert_eq!(tasks::counts(tx, DEFAULT_ORG, Millis(0), 9).await?, TaskCounts { completed: 0, ..all });
    let submitted = TaskRow { id: id(0x0198_0c5e_7d1a_7000_8000_0000_0000_0001), ..task(9, id(1)) };
    tasks::insert(tx, &submitted).await?;
    let ended = Task { state: State::Completed, ..submitted.life.clone() };
    let stamps = Stamps { finished_at: Some(NOW), ..Stamps::default() };
    assert!(tasks::update(tx, submitted.id, &submitted.life, &ended, &stamps).await?);
    let made = Millis(0x0198_0c5e_7d1a);
    assert_eq!(tasks::counts(tx, DEFAULT_ORG, made, 9).await?.completed, 1);
    assert_eq!(tasks::counts(tx, DEFAULT_ORG, made + Span(1), 9).await?.completed, 0, "it was submitted before");
    assert_eq!(tasks::counts(tx, DEFAULT_ORG, NOW, 9).await?.failed, 2);
    let later = tasks::counts(tx, DEFAULT_ORG, NOW + Span(1), 9).await?;
    let gone = TaskCounts { completed: later.completed, failed: 0, rejected: 0, cancelled: 0, expired: 0, ..all };
    assert_eq!(later, gone, "what waits, is under way or is dead counts whatever its age");
    assert_eq!(tasks::counts(tx, DEFAULT_ORG, NOW, 1).await?.failed, 1, "it is counted so far");
    assert_eq!(tasks::counts(tx, OTHER_ORG, Millis(0), 9).await?, TaskCounts::default());
    Ok(())
}
