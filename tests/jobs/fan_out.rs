//! Every node that is meant gets the work once, whoever is away and whatever becomes of the hub.

use std::collections::BTreeSet;

use serde_json::json;
use sortie_rules::jobs::JobStatus;
use sortie_rules::tasks::Status;
use sortie_wire::tasks::TaskQuery;
use stories::{Scene, on_both_engines, on_sqlite, until};

use crate::help::{complete, job_is, label, naps, nodes, over, run, statuses, table, taken};

on_both_engines!(
    each_node_that_is_meant_does_it_once_and_no_other_does,
    a_hub_killed_in_the_middle_of_it_loses_and_doubles_nothing,
);
on_sqlite!(
    a_node_that_is_away_gets_its_task_when_it_comes,
    a_node_that_does_not_come_in_time_is_left_out,
    a_node_that_was_revoked_meanwhile_is_left_out,
    a_table_comes_in_pages_and_by_status,
);

async fn each_node_that_is_meant_does_it_once_and_no_other_does(scene: Scene) {
    let hub = scene.hub().start().await;
    let mut sites = Vec::new();
    for (name, ring) in [("north", "first"), ("south", "first"), ("east", "second")] {
        sites.push(hub.site(name).await);
        label(&hub, name, "ring", ring).await;
    }
    let _agents: Vec<_> = sites.iter().map(stories::Site::start).collect();
    let job = run(&hub, &json!({ "type": "sys.info", "selector": { "label": "ring=first", "kind": "host" } })).await;
    assert_eq!(job.nodes, 2);
    let done = over(&hub, job.id).await;
    assert_eq!((done.status, done.counts.unwrap().completed), (JobStatus::Completed, 2));
    let rows = table(&hub, job.id).await;
    assert_eq!(rows.iter().map(|row| row.node_name.as_str()).collect::<Vec<_>>(), ["north", "south"]);
    let query = TaskQuery { job: Some(job.id), ..TaskQuery::default() };
    let tasks = hub.people().tasks(&query).await.expect("an administrator may list tasks").items;
    assert!(tasks.len() == 2 && tasks.iter().all(|task| task.job == Some(job.id)), "{tasks:?}");
    let named: BTreeSet<_> = tasks.iter().map(|task| task.id).collect();
    assert_eq!(named, rows.iter().filter_map(|row| row.task).collect());
    let kinds: Vec<String> = hub.events("job").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["job.created", "job.completed"]);
}

async fn a_hub_killed_in_the_middle_of_it_loses_and_doubles_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 12).await;
    let job =
        run(&hub, &json!({ "type": "sleep", "payload": { "ms": 0 }, "selector": { "all": true }, "at_a_time": 4 }))
            .await;
    let first = until("somebody has a task", async || {
        for node in &nodes {
            if let Some(task) = taken(node).await {
                return Some((node, task));
            }
        }
        None
    })
    .await;
    let hub = hub.kill().await.start().await;
    complete(first.0, &first.1).await;
    until("all are done", async || {
        for node in &nodes {
            node.start_again();
            if let Some(task) = taken(node).await {
                complete(node, &task).await;
            }
        }
        let job = hub.people().job(job.id).await.expect("the job is there");
        job.status.is_terminal().then_some(())
    })
    .await;
    let over = over(&hub, job.id).await;
    assert_eq!((over.status, over.counts.unwrap().completed), (JobStatus::Completed, 12));
    let query = TaskQuery { job: Some(job.id), limit: Some(1000), ..TaskQuery::default() };
    let tasks = hub.people().tasks(&query).await.expect("an administrator may list tasks").items;
    let at: BTreeSet<_> = tasks.iter().map(|task| task.node).collect();
    assert_eq!((tasks.len(), at.len()), (12, 12), "one task for each node");
    assert!(tasks.iter().all(|task| task.status == Status::Completed && task.run == 1));
}

async fn a_node_that_is_away_gets_its_task_when_it_comes(scene: Scene) {
    let hub = scene.hub().start().await;
    let here = nodes(&hub, 1).await.remove(0);
    let away = hub.hand_node("away").await;
    let job = run(&hub, &naps(json!({ "all": true }))).await;
    complete(&here, &here.take_one().await).await;
    let half = job_is(&hub, job.id, "one is done", |job| job.counts.unwrap().completed == 1).await;
    assert_eq!((half.status, half.counts.unwrap().waiting), (JobStatus::Running, 1));
    complete(&away, &away.take_one().await).await;
    assert_eq!(over(&hub, job.id).await.counts.unwrap().completed, 2);
}

async fn a_node_that_does_not_come_in_time_is_left_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let here = nodes(&hub, 1).await.remove(0);
    let _away = hub.hand_node("away").await;
    let words = ["job", "run", "sleep", "--payload", "{\"ms\":0}", "--all", "--not-after", "+3s"];
    let job: sortie_wire::jobs::Job = serde_json::from_value(hub.sortie_json(&words)).expect("it is a job");
    complete(&here, &here.take_one().await).await;
    let over = over(&hub, job.id).await;
    assert_eq!(over.status, JobStatus::Completed);
    let rows = table(&hub, job.id).await;
    let away = rows.iter().find(|row| row.node_name == "away").expect("it is in the table");
    assert_eq!(
        (away.status.as_str(), away.code.as_ref().map(|code| code.0.as_str())),
        ("skipped", Some("not_reached"))
    );
}

async fn a_node_that_was_revoked_meanwhile_is_left_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let here = nodes(&hub, 1).await.remove(0);
    let _away = hub.hand_node("away").await;
    let job = run(&hub, &naps(json!({ "all": true }))).await;
    complete(&here, &here.take_one().await).await;
    hub.people().revoke_node("away").await.expect("an administrator may revoke");
    over(&hub, job.id).await;
    let rows = table(&hub, job.id).await;
    assert_eq!(rows[0].code.as_ref().map(|code| code.0.as_str()), Some("node_revoked"), "{rows:?}");
    assert_eq!(statuses(&hub, job.id).await, ["skipped", "completed"]);
}

async fn a_table_comes_in_pages_and_by_status(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 5).await;
    let job = run(&hub, &naps(json!({ "all": true }))).await;
    for node in &nodes[..2] {
        complete(node, &node.take_one().await).await;
    }
    let (people, mut names, mut after) = (hub.people(), Vec::new(), None);
    loop {
        let query = sortie_wire::jobs::JobNodeQuery { status: None, after, limit: Some(2) };
        let page = people.job_nodes(job.id, &query).await.expect("the job is there");
        assert!(page.items.len() <= 2);
        names.extend(page.items.into_iter().map(|row| row.node_name));
        match page.next {
            Some(next) => after = Some(next.parse().expect("it is a place")),
            None => break,
        }
    }
    assert_eq!(names, ["n01", "n02", "n03", "n04", "n05"]);
    let query = sortie_wire::jobs::JobNodeQuery { status: Some("completed".into()), after: None, limit: None };
    let page = people.job_nodes(job.id, &query).await.expect("the job is there");
    assert_eq!(page.items.iter().map(|row| row.node_name.as_str()).collect::<Vec<_>>(), ["n01", "n02"]);
}
