//! Mails (F-13, F-29): one to each user, tried until the mail server takes it, and the result stands.

use counterparts::{SmtpPlan, SmtpSink, free_port};
use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Scene, on_both_engines, on_sqlite, until};

use crate::help::{MAIL_STEP, complete, give_type, mails, settled, step, users, with_mail};

on_both_engines!(each_user_gets_one_mail_and_the_task_shows_it, a_mail_server_that_is_away_gets_its_mails_later);
on_sqlite!(
    a_hub_that_was_killed_sends_what_it_owes,
    what_a_result_lacks_is_named_and_the_result_stands,
    a_mail_that_is_refused_for_good_is_given_up_and_can_be_asked_for_again,
    a_password_of_a_mail_server_never_travels_in_the_clear,
);

async fn each_user_gets_one_mail_and_the_task_shows_it(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let plan = with_mail(scene.hub(), sink.port());
    give_type(&plan, MAIL_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, users()).await;
    let task = settled(&hub, id).await;
    assert_eq!(task.summary.status, Status::Completed);
    assert_eq!(step(&task, "credentials", 0).message.as_deref(), Some("one for each of 2 items"));
    assert_eq!(step(&task, "credentials", 2).message.as_deref(), Some("sent to ben@trust.example"));
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    let ann = mails.iter().find(|mail| mail.contains("To: ann@trust.example")).expect("Ann has one");
    for said in ["Subject: Your access to Lungs", "From: Sortie <hub@sortie.example>", "Dear Ann,", "password is one"] {
        assert!(ann.contains(said), "`{said}` is not in {ann}");
    }
    assert!(!ann.contains("two"));
    let shown = hub.sortie(&["task", "show", &id.to_string()]).well().stdout;
    assert!(shown.contains("credentials") && shown.contains("sent to ann@trust.example"), "{shown}");
    assert_eq!(hub.events("post_step.done").await.len(), 3);
}

async fn a_mail_server_that_is_away_gets_its_mails_later(scene: Scene) {
    let port = free_port();
    let plan = with_mail(scene.hub(), port);
    give_type(&plan, MAIL_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, users()).await;
    until("a try has failed", async || {
        let task = hub.task(id).await;
        task.post_steps.iter().any(|step| step.code.as_deref() == Some("mail_server")).then_some(())
    })
    .await;
    assert_eq!(hub.task(id).await.summary.status, Status::Completed);
    let sink = SmtpSink::start(SmtpPlan { port: Some(port), ..SmtpPlan::default() });
    assert_eq!(mails(&sink, 2).await.len(), 2);
    let task = settled(&hub, id).await;
    assert!(task.post_steps.iter().all(|step| step.status == "done"), "{:?}", task.post_steps);
}

async fn a_hub_that_was_killed_sends_what_it_owes(scene: Scene) {
    let port = free_port();
    let plan = with_mail(scene.hub(), port);
    give_type(&plan, MAIL_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, users()).await;
    let plan = hub.kill().await;
    let sink = SmtpSink::start(SmtpPlan { port: Some(port), ..SmtpPlan::default() });
    let hub = plan.start().await;
    assert_eq!(mails(&sink, 2).await.len(), 2);
    assert!(settled(&hub, id).await.post_steps.iter().all(|step| step.status == "done"));
}

async fn what_a_result_lacks_is_named_and_the_result_stands(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let plan = with_mail(scene.hub(), sink.port());
    give_type(&plan, MAIL_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    for (result, item, code, said) in [
        (json!({ "project": "Lungs" }), 0, "fields_missing", "no list at /users"),
        (json!({ "project": "Lungs", "users": [{ "name": "Ann" }] }), 1, "template_failed", "undefined"),
        (json!({ "project": "Lungs", "users": [{ "email": "nobody" }] }), 1, "address_invalid", "no mail address"),
    ] {
        let id = complete(&hub, &node, result.clone()).await;
        let task = settled(&hub, id).await;
        let step = step(&task, "credentials", item);
        assert_eq!((step.status.as_str(), step.code.as_deref(), step.tries), ("failed", Some(code), 1), "{step:?}");
        assert!(step.message.as_deref().is_some_and(|message| message.contains(said)), "{step:?}");
        assert_eq!((task.summary.status, task.result), (Status::Completed, Some(result)));
    }
    assert!(sink.mails().is_empty());
}

async fn a_mail_that_is_refused_for_good_is_given_up_and_can_be_asked_for_again(scene: Scene) {
    let port = free_port();
    let small = SmtpSink::start(SmtpPlan { port: Some(port), size_max: Some(100), ..SmtpPlan::default() });
    let plan = with_mail(scene.hub(), port);
    give_type(&plan, MAIL_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, users()).await;
    let task = settled(&hub, id).await;
    assert_eq!(step(&task, "credentials", 1).code.as_deref(), Some("mail_refused"));
    assert_eq!(hub.events("post_step.failed").await.len(), 2);
    drop(small);
    let sink = SmtpSink::start(SmtpPlan { port: Some(port), ..SmtpPlan::default() });
    hub.sortie(&["task", "retry-step", &id.to_string(), "nothing"]).failed(3, &["no step `nothing`"]);
    hub.sortie(&["task", "retry-step", &id.to_string(), "credentials"]).well();
    assert_eq!(mails(&sink, 2).await.len(), 2);
    assert!(settled(&hub, id).await.post_steps.iter().all(|step| step.status == "done"));
    hub.sortie(&["task", "retry-step", &id.to_string(), "credentials"]).failed(3, &["given up"]);
}

async fn a_password_of_a_mail_server_never_travels_in_the_clear(scene: Scene) {
    let file = scene.folder().join("password");
    std::fs::write(&file, "hunter22").expect("the story's folder can be written");
    let plan = with_mail(scene.hub(), 25).setting("mail.user", "sortie").setting("mail.password_file", file.display());
    stories::Ended::of(&mut plan.command()).failed(2, &["mail.security", "in the clear"]);
}
