//! `COHORT_QUERY` against a site's own database: read-only, within a time, and nothing about few.

use counterparts::Postgres;
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{RunningHub, Scene, on_sqlite, until};

use crate::help::{Trust, done, result, trust, with_pack};

on_sqlite!(
    a_cohort_in_postgresql_is_counted_and_few_are_not_told,
    a_cohort_in_sqlite_is_counted_and_few_are_not_told,
    a_query_that_is_no_select_changes_nothing,
    a_query_that_takes_too_long_is_broken_off,
    a_database_that_is_away_is_tried_again,
);

const TABLE: &str = "create table person (id integer, gender text, born integer);";
/// 60 women, 30 men and 4 of whom it is not known.
const PEOPLE: &str = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 94) \
    insert into person select i, case when i <= 60 then 'F' when i <= 90 then 'M' else null end, 1940 + i from n;";

/// A site with this database.
async fn with_database<'s>(hub: &RunningHub<'s>, url: &str, timeout_s: &str) -> Trust<'s> {
    let file = hub.data().with_extension("cohort.url");
    std::fs::write(&file, format!("{url}\n")).expect("the story's folder can be written");
    let changes = [
        ("/etc/sortie/cohort.url", file.display().to_string()),
        ("\"--timeout-s\", \"60\"", format!("\"--timeout-s\", \"{timeout_s}\"")),
    ];
    trust(hub, &changes).await
}

async fn counts_and_does_not_tell(hub: &RunningHub<'_>) {
    let ask = |query: &str, group_by: Value| json!({ "query": query, "group_by": group_by, "query_id": "q7" });
    let all = result(hub, "COHORT_QUERY", ask("select * from person", json!(["gender"]))).await;
    assert_eq!((&all["count"], &all["query_id"], &all["threshold"]), (&json!(94), &json!("q7"), &json!(10)));
    // The four could be worked out from the others, so the smaller of those is left out as well.
    assert_eq!(all["groups"]["gender"]["values"], json!([{ "value": "F", "count": 60 }]));
    assert_eq!((&all["groups"]["gender"]["suppressed"], &all["suppressed"]), (&json!(true), &json!(true)));
    let few = result(hub, "COHORT_QUERY", ask("select * from person where gender is null", json!([]))).await;
    assert_eq!((&few["count"], &few["suppressed"]), (&json!(null), &json!(true)));
    let people = result(hub, "COHORT_QUERY", ask("select p.id from person p, person q;", json!([]))).await;
    assert_eq!(people["count"], json!(94), "people are counted, and not rows");
    let other = done(hub, "COHORT_QUERY", ask("select * from person", json!(["id"]))).await;
    assert!(other.summary.message.is_some_and(|why| why.contains("does not count by `id`")));
    let task = done(hub, "COHORT_QUERY", ask("select id, born from person", json!(["gender"]))).await;
    assert_eq!(task.summary.code.map(|code| code.0).as_deref(), Some("exit_code"));
    let log = hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
    assert!(log.contains("no column `gender`"), "{log}");
}

async fn a_cohort_in_postgresql_is_counted_and_few_are_not_told(scene: Scene) {
    let url = Postgres::shared().fresh_database();
    Postgres::shared().sql(&url, TABLE);
    Postgres::shared().sql(&url, PEOPLE);
    let hub = with_pack(&scene).start().await;
    let _trust = with_database(&hub, &url, "20").await;
    counts_and_does_not_tell(&hub).await;
}

async fn a_cohort_in_sqlite_is_counted_and_few_are_not_told(scene: Scene) {
    let hub = with_pack(&scene).start().await;
    let database = sqlite(&hub);
    let _trust = with_database(&hub, &database, "20").await;
    counts_and_does_not_tell(&hub).await;
}

/// A SQLite database with the people.
fn sqlite(hub: &RunningHub<'_>) -> String {
    let path = hub.data().with_extension("omop.db");
    let made = rusqlite::Connection::open(&path).expect("the story's folder can be written");
    made.execute_batch(&format!("{TABLE}{PEOPLE}")).expect("it is SQL");
    format!("sqlite:{}", path.display())
}

async fn a_query_that_is_no_select_changes_nothing(scene: Scene) {
    let url = Postgres::shared().fresh_database();
    Postgres::shared().sql(&url, TABLE);
    Postgres::shared().sql(&url, PEOPLE);
    let hub = with_pack(&scene).start().await;
    let _trust = with_database(&hub, &url, "20").await;
    for query in [
        "delete from person",
        "delete from person returning *",
        "with gone as (delete from person returning *) select * from gone",
        "select 1; delete from person",
        "select 1) as x; delete from person; --",
        "select 1 as id, set_config('transaction_read_only', 'off', false)",
        "select 1) as x union all select (select id from person limit 1",
        "select id from person where cast('x' || id as integer) > 0",
    ] {
        let task = done(&hub, "COHORT_QUERY", json!({ "query": query })).await;
        assert_eq!(task.summary.status, Status::Failed, "{query}: {:?}", task.result);
        let why = task.summary.message.unwrap_or_default();
        assert!(!why.contains("x1"), "a row's value is told: {why}");
    }
    assert_eq!(Postgres::shared().sql(&url, "select count(*) from person"), ["94"]);
}

async fn a_query_that_takes_too_long_is_broken_off(scene: Scene) {
    let url = Postgres::shared().fresh_database();
    let hub = with_pack(&scene).start().await;
    let _trust = with_database(&hub, &url, "1").await;
    let task = done(&hub, "COHORT_QUERY", json!({ "query": "select 1 as id, pg_sleep(3600)" })).await;
    assert_eq!(task.summary.code.map(|code| code.0).as_deref(), Some("exit_code"));
    let log = hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
    assert!(log.contains("longer than 1 s"), "{log}");
    let running = "select count(*) from pg_stat_activity where application_name = 'sortie-cohort'";
    until("the database has let go of it", async || (Postgres::shared().sql(&url, running) == ["0"]).then_some(()))
        .await;
}

async fn a_database_that_is_away_is_tried_again(scene: Scene) {
    let hub = with_pack(&scene).start().await;
    let path = hub.data().with_extension("omop.db");
    let _trust = with_database(&hub, &format!("sqlite:{}", path.display()), "20").await;
    let id = hub.submit("trust-north", "COHORT_QUERY", json!({ "query": "select * from person" })).await;
    until("it is to be tried again", async || (hub.task(id).await.summary.retries > 0).then_some(())).await;
    sqlite(&hub);
    assert_eq!(hub.ended(id).await.result.expect("it completes")["count"], json!(94));
}
