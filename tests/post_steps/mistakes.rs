//! Mistakes in the post-steps of a pack, each with its place.

use stories::{Program, Scene, on_sqlite};

use crate::help::{MAIL_STEP, WEBHOOK_STEP, write_pack};

on_sqlite!(every_mistake_of_a_post_step_is_told);

async fn every_mistake_of_a_post_step_is_told(scene: Scene) {
    let folder = scene.folder().join("pack");
    let status = "[[task_types.post_steps]]\nname = \"status\"\nkind = \"status\"\nof = \"hub\"\n\
                  fields = { a = \"no-pointer\" }\noptional = [\"b\"]\nfor_each = \"/x\"\n";
    let steps = [
        &MAIL_STEP.replace("for_each = \"/users\"", "for_each = \"users\"").replace("item.email }}", "item.email"),
        WEBHOOK_STEP,
        WEBHOOK_STEP,
        &WEBHOOK_STEP.replace("portal", "other").replace("ended", "never").replace("endpoint", "url"),
        status,
        &MAIL_STEP.replace("\"credentials\"", "\"again\"").replace("mails/credentials.txt", "mails/none.txt"),
        "[[task_types.post_steps]]\nname = \"odd\"\nkind = \"pigeon\"\n",
    ]
    .concat();
    write_pack(&folder, &steps);
    let checked = Program::Sortie.run(["pack".as_ref(), "check".as_ref(), folder.as_os_str()]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    for said in [
        "`for_each` is a JSON pointer",
        "not a template",
        "`portal` is there twice",
        "unknown key `url`",
        "`endpoint` is missing",
        "`when` must be",
        "`of` must be",
        "`a` is a JSON pointer",
        "`b` is none of the fields",
        "has no `for_each`",
        "mails/none.txt",
        "`kind` must be \"mail\"",
    ] {
        assert!(checked.stdout.contains(said), "`{said}` is not told:\n{}", checked.stdout);
    }
    std::fs::write(folder.join("mails/credentials.txt"), "Dear {% if %}").expect("it is ours");
    let checked = Program::Sortie.run(["pack".as_ref(), "check".as_ref(), folder.as_os_str()]);
    assert!(checked.stdout.contains("credentials.txt:1:1: a mail begins with `Subject: …`"), "{}", checked.stdout);
}
