//! Mails of post-steps, made of the templates of their packs.

use serde_json::Value;

use super::spec::MailSpec;
use crate::outgoing::{Letter, Mailer, Trouble, mailbox, render};

/// Sends one mail. `id` is the same for each try, so that a receiver can tell a repeat.
pub(super) async fn send(mailer: &Mailer, spec: &MailSpec, matter: &Value, id: &str) -> Result<String, Trouble> {
    mailer.is_set_up()?;
    mailer.send(&write(spec, matter)?, id).await
}

/// A mail from its templates.
fn write(spec: &MailSpec, matter: &Value) -> Result<Letter, Trouble> {
    let to = spec.to.iter().map(|template| render(template, matter)).collect::<Result<Vec<_>, _>>()?;
    // Whoever has no address is told so, whatever the texts would lack besides.
    for address in &to {
        let wrong = |error| Trouble::final_("address_invalid", format!("`to` gave no mail address: {error}"));
        mailbox(address).map_err(wrong)?;
    }
    Ok(Letter { to, subject: render(&spec.subject, matter)?, body: render(&spec.body, matter)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mail_is_made_of_its_templates() {
        let spec = |to: &str| MailSpec {
            to: vec![to.into()],
            subject: "For {{ item.name }}".into(),
            body: "Dear {{ item.name }}".into(),
        };
        let matter = json!({ "item": { "email": "a@b.example", "name": "Ann" }, "result": {} });
        let letter = write(&spec("{{ item.email }}"), &matter).unwrap();
        let text = |text: &str| text.to_owned();
        assert_eq!(letter, Letter { to: vec![text("a@b.example")], subject: text("For Ann"), body: text("Dear Ann") });
        assert_eq!(write(&spec("{{ item.mail }}"), &matter).unwrap_err().code, "template_failed");
    }
}
