//! The imaging types against a real Orthanc: from the making of a project over its mails to its end.

use counterparts::{Orthanc, SmtpPlan, SmtpSink};
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{RunningHub, Scene, on_sqlite, until};

use crate::help::{Trust, done, pack, result, trust, with_mail, with_pack};

on_sqlite!(
    a_project_is_made_its_users_get_their_mails_and_it_is_given_up,
    a_site_need_not_have_the_project,
    a_run_whose_answer_got_lost_gives_the_same_users_their_passwords,
    what_the_imaging_server_refuses_is_told,
);

const TOKEN: &str = "a-token-of-the-story";

/// A site with this imaging server.
async fn with_imaging<'s>(hub: &RunningHub<'s>, server: &Orthanc) -> Trust<'s> {
    let headers = server.headers_file().display().to_string();
    let changes = [("http://127.0.0.1:8042", server.url()), ("/etc/sortie/orthanc.headers", headers)];
    trust(hub, &changes).await
}

fn imaging_server() -> Orthanc {
    Orthanc::start(&pack().join("site/imaging.py"), TOKEN)
}

async fn ask(server: &Orthanc, method: &str, path: &str, who: Option<(&str, &str)>, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client can be made");
    let url = format!("{}{path}", server.url());
    let request = if method == "GET" { client.get(url) } else { client.post(url).body(body.to_string()) };
    let request = match who {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request.bearer_auth(TOKEN),
    };
    let answer = request.header("sortie-task-id", "by-hand").send().await.expect("it answers");
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.expect("it is text")).unwrap_or_default())
}

/// Puts a study into the imaging server.
async fn study(server: &Orthanc, patient: &str, description: &str) {
    let tags = json!({ "PatientID": patient, "StudyDescription": description, "Modality": "CT" });
    let (status, made) = ask(server, "POST", "/tools/create-dicom", None, &json!({ "Tags": tags })).await;
    assert_eq!(status, 200, "{made}");
}

fn lungs(users: &Value) -> Value {
    json!({ "project_id": "p-1", "name": "Lungs", "query": { "StudyDescription": "LUNG*" }, "users": users })
}

fn password_in(mail: &str) -> String {
    let line = mail.lines().find_map(|line| line.strip_prefix("Password:")).expect("it has a password");
    line.trim().to_owned()
}

async fn a_project_is_made_its_users_get_their_mails_and_it_is_given_up(scene: Scene) {
    let (server, sink) = (imaging_server(), SmtpSink::start(SmtpPlan::default()));
    let hub = with_mail(with_pack(&scene), &sink).start().await;
    let trust = with_imaging(&hub, &server).await;
    study(&server, "1", "LUNG CT").await;
    study(&server, "2", "LUNG FOLLOW-UP").await;
    study(&server, "3", "KNEE").await;
    let made = result(&hub, "CREATE_IMAGING", lungs(&json!([{ "email": "ann@trust.example", "name": "Ann" }]))).await;
    assert_eq!((&made["project"]["name"], &made["studies"]), (&json!("Lungs"), &json!(2)));
    // F-13: who is new gets a password, and it opens the images.
    let mails = until("Ann's mail is there", async || Some(sink.mails()).filter(|mails| !mails.is_empty())).await;
    assert!(mails[0].contains("To: ann@trust.example") && mails[0].contains("Lungs"), "{}", mails[0]);
    let password = password_in(&mails[0]);
    let ann = async |path: &str, password: &str| {
        ask(&server, "GET", path, Some(("ann@trust.example", password)), &Value::Null).await
    };
    let read = async |password: &str| ann("/imaging-trust/studies", password).await.0;
    assert_eq!((read(&password).await, read("wrong").await), (200, 403));
    // Her own studies, and nothing else of the hospital's.
    let (_, mine) = ann("/imaging-trust/studies", &password).await;
    let mine: Vec<&str> = mine.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(mine.len(), 2);
    let (_, all) = ask(&server, "GET", "/studies", None, &Value::Null).await;
    for study in all.as_array().expect("a list").iter().filter_map(Value::as_str) {
        let status = ann(&format!("/studies/{study}"), &password).await.0;
        assert_eq!(status, if mine.contains(&study) { 200 } else { 403 }, "{study}");
    }
    for closed in ["/studies", "/patients", "/instances", "/tools/find", "/system", "/studies/../patients"] {
        assert_eq!(ann(closed, &password).await.0, 403, "{closed}");
    }
    let (status, _) =
        ask(&server, "POST", "/imaging-trust/delete", Some(("ann@trust.example", &password)), &json!({})).await;
    assert_eq!(status, 403, "a user may read and no more");
    // F-29: who is known already hears of the second project.
    let users = json!([{ "email": "ann@trust.example", "name": "Ann" }]);
    let second =
        json!({ "project_id": "p-2", "name": "Knees", "query": { "StudyDescription": "KNEE" }, "users": users });
    let made = result(&hub, "CREATE_IMAGING", second).await;
    assert_eq!((made["created_users"].clone(), &made["added_users"][0]["name"]), (json!([]), &json!("Ann")));
    let mails = until("the second mail is there", async || Some(sink.mails()).filter(|mails| mails.len() == 2)).await;
    assert!(mails.iter().any(|mail| mail.contains("Subject: You were added to Knees")), "{mails:?}");
    // F-20, F-21: how it stands is kept on the node, for the one project that was asked for.
    study(&server, "4", "LUNG AGAIN").await;
    let found = result(&hub, "REIMPORT_STUDIES", json!({ "project_id": "p-1" })).await;
    assert_eq!(found, json!({ "project_id": "p-1", "added": 1, "studies": 3 }));
    let status = result(&hub, "GET_IMAGING_STATUS", json!({ "project_id": "p-1" })).await;
    assert_eq!((&status["exists"], &status["studies"], &status["instances"]), (&json!(true), &json!(3), &json!(3)));
    until("the node shows it", async || {
        let node = hub.people().node("trust-north").await.expect("it is there");
        let field = |name: &str| node.fields.iter().find(|field| field.name == name).map(|field| field.value.clone());
        (field("imaging_project") == Some(json!("p-1")) && field("imaging_studies") == Some(json!(3))).then_some(())
    })
    .await;
    let profile = result(&hub, "UPDATE_USER_PROFILE", json!({ "email": "ann@trust.example", "enabled": false })).await;
    assert_eq!((&profile["enabled"], read(&password).await), (&json!(false), 403));
    let gone = result(&hub, "DELETE_IMAGING", json!({ "project_id": "p-1" })).await;
    assert_eq!(gone, json!({ "deleted": true, "studies": 3 }));
    let (_, left) = ask(&server, "GET", "/studies", None, &Value::Null).await;
    assert_eq!(left.as_array().map(Vec::len), Some(4), "the studies stay");
    // The passwords went into mails and nowhere else at the site.
    assert!(!trust.site.log().contains(&password) && !hub.log().contains(&password));
}

async fn a_site_need_not_have_the_project(scene: Scene) {
    let server = imaging_server();
    let hub = with_pack(&scene).start().await;
    let _trust = with_imaging(&hub, &server).await;
    let task = done(&hub, "GET_IMAGING_STATUS", json!({ "project_id": "elsewhere" })).await;
    assert_eq!((task.summary.status, task.result), (Status::Completed, Some(json!({ "exists": false }))));
    until("the step is done", async || {
        let task = hub.task(task.summary.id).await;
        task.post_steps.iter().all(|step| step.status == "done").then_some(())
    })
    .await;
    assert_eq!(result(&hub, "DELETE_IMAGING", json!({ "project_id": "elsewhere" })).await["deleted"], json!(false));
}

async fn a_run_whose_answer_got_lost_gives_the_same_users_their_passwords(_scene: Scene) {
    let server = imaging_server();
    let payload = lungs(&json!([{ "email": "ann@trust.example", "name": "Ann" }]));
    let mut passwords = Vec::new();
    for _ in 0..2 {
        let (status, made) = ask(&server, "POST", "/imaging-trust/create", None, &payload).await;
        assert_eq!((status, &made["created_users"][0]["email"]), (200, &json!("ann@trust.example")));
        passwords.push(made["created_users"][0]["password"].as_str().expect("text").to_owned());
    }
    let read = async |password: &str| {
        ask(&server, "GET", "/imaging-trust/studies", Some(("ann@trust.example", password)), &Value::Null).await.0
    };
    assert_eq!((read(&passwords[0]).await, read(&passwords[1]).await), (403, 200), "the newest counts");
}

async fn what_the_imaging_server_refuses_is_told(scene: Scene) {
    let server = imaging_server();
    let hub = with_pack(&scene).start().await;
    let _trust = with_imaging(&hub, &server).await;
    let task = done(&hub, "REIMPORT_STUDIES", json!({ "project_id": "elsewhere" })).await;
    assert_eq!(task.summary.code.map(|code| code.0).as_deref(), Some("service_refused"));
    assert!(task.summary.message.as_deref().is_some_and(|why| why.contains("404")), "{:?}", task.summary.message);
    let refused = done(&hub, "UPDATE_USER_PROFILE", json!({ "email": "nobody@trust.example" })).await;
    assert_eq!(refused.summary.status, Status::Failed);
    let answer = hub.request(http::Method::POST, "/api/v1/tasks");
    let wrong = json!({ "type": "CREATE_IMAGING", "node": "trust-north", "payload": { "name": "x" } });
    assert_eq!(answer.json(&wrong).send().await.status, 422, "a payload that does not fit goes nowhere");
}
