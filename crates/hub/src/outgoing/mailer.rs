//! Mails of post-steps, over the mail server of the settings.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use sortie_rules::limits::{MAIL_BYTES_MAX, POST_STEP_ANSWER_MAX, TEMPLATE_FUEL};

use super::perform::Trouble;
use super::spec::MailSpec;
use crate::settings::{MailSecurity, MailSettings};

/// Sends mails, or knows that there is no way to.
#[derive(Debug)]
pub(crate) struct Mailer(Option<Way>);

#[derive(Debug)]
struct Way {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Settings of the mail server that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("setting `mail`: {0}")]
pub struct MailerError(String);

impl Mailer {
    /// The way to the mail server. Nothing is sent yet.
    pub(crate) fn new(settings: Option<&MailSettings>) -> Result<Mailer, MailerError> {
        let Some(settings) = settings else { return Ok(Mailer(None)) };
        let fault = |why: String| MailerError(why);
        let from = settings.from.parse().map_err(|error| fault(format!("`from` is no address: {error}")))?;
        let tls = || -> Result<TlsParameters, MailerError> {
            let mut parameters = TlsParameters::builder(settings.host.clone());
            if let Some(file) = &settings.ca_file {
                let pem = std::fs::read(file).map_err(|error| fault(format!("{}: {error}", file.display())))?;
                let certificate = Certificate::from_pem(&pem);
                let certificate = certificate.map_err(|error| fault(format!("{}: {error}", file.display())))?;
                parameters = parameters.add_root_certificate(certificate);
            }
            parameters.build().map_err(|error| fault(error.to_string()))
        };
        let tls = match settings.security {
            MailSecurity::None => Tls::None,
            MailSecurity::Starttls => Tls::Required(tls()?),
            MailSecurity::Tls => Tls::Wrapper(tls()?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(POST_STEP_ANSWER_MAX.to_std()));
        if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
            let text = std::fs::read_to_string(file).map_err(|error| fault(format!("{}: {error}", file.display())))?;
            builder =
                builder.credentials(Credentials::new(user.clone(), text.trim_end_matches(['\n', '\r']).to_owned()));
        }
        Ok(Mailer(Some(Way { transport: builder.build(), from })))
    }

    /// Sends one mail. `id` is the same for each try, so that a receiver can tell a repeat.
    pub(super) async fn send(&self, spec: &MailSpec, matter: &Value, id: &str) -> Result<String, Trouble> {
        let Some(way) = &self.0 else {
            return Err(Trouble::later("mail_not_set_up", "this hub has no mail server; set [mail] in hub.toml"));
        };
        let (message, to) = write(spec, matter, &way.from, id)?;
        match way.transport.send(message).await {
            Ok(_) => Ok(format!("sent to {to}")),
            Err(error) if error.is_permanent() => {
                Err(Trouble::final_("mail_refused", format!("the mail server refuses it for good: {error}")))
            }
            Err(error) => Err(Trouble::later("mail_server", format!("the mail server did not take it: {error}"))),
        }
    }
}

/// A mail from its templates, and whom it goes to in words.
fn write(spec: &MailSpec, matter: &Value, from: &Mailbox, id: &str) -> Result<(Message, String), Trouble> {
    let wrong = |code, why: String| Trouble::final_(code, why);
    let domain = from.email.domain().to_owned();
    let subject = render(&spec.subject, matter)?;
    let mut message = Message::builder()
        .from(from.clone())
        .message_id(Some(format!("<{id}@{domain}>")))
        // One line, whatever the values in it were.
        .subject(subject.split_whitespace().collect::<Vec<_>>().join(" "))
        .header(ContentType::TEXT_PLAIN);
    let mut to = Vec::new();
    for template in &spec.to {
        let address = render(template, matter)?;
        let mailbox: Mailbox = address
            .trim()
            .parse()
            .map_err(|error| wrong("address_invalid", format!("`to` gave no mail address: {error}")))?;
        to.push(mailbox.email.to_string());
        message = message.to(mailbox);
    }
    let body = render(&spec.body, matter)?;
    let message = message.body(body).map_err(|error| wrong("mail_invalid", error.to_string()))?;
    Ok((message, to.join(", ")))
}

/// The engine of templates: what is not there is an error, and nothing takes long.
pub(crate) fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(TEMPLATE_FUEL));
    engine
}

fn render(template: &str, matter: &Value) -> Result<String, Trouble> {
    let text = engine().render_str(template, minijinja::value::Serde(matter)).map_err(|error| {
        // The error names what is missing and where, and repeats no values.
        let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
        let detail = error.detail().unwrap_or_default();
        Trouble::final_("template_failed", format!("the template: {} {detail}{line}", error.kind()))
    })?;
    if text.len() > MAIL_BYTES_MAX {
        return Err(Trouble::final_("mail_invalid", format!("a mail has at most {MAIL_BYTES_MAX} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(to: &str, subject: &str, body: &str) -> Result<String, String> {
        let spec = MailSpec { to: vec![to.into()], subject: subject.into(), body: body.into() };
        let matter = json!({"item": {"email": "a@b.example", "name": "Ann\r\nBcc: x@y.example"}, "result": {}});
        let from = "Sortie <hub@c.example>".parse().unwrap();
        let written = write(&spec, &matter, &from, "id-1");
        written
            .map(|(message, _)| String::from_utf8(message.formatted()).unwrap())
            .map_err(|trouble| trouble.code.into())
    }

    #[test]
    fn a_mail_is_made_of_its_templates() {
        let mail = written("{{ item.email }}", "For {{ item.name }}", "Dear {{ item.name }}").unwrap();
        assert!(mail.contains("To: a@b.example") && mail.contains("Message-ID: <id-1@c.example>"), "{mail}");
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(head.contains("Subject: For Ann Bcc: x@y.example") && !head.contains("\nBcc:"), "{head}");
    }

    #[test]
    fn what_cannot_become_a_mail_is_told_for_good() {
        assert_eq!(written("{{ item.mail }}", "s", "b"), Err("template_failed".into()));
        assert_eq!(written("nobody", "s", "b"), Err("address_invalid".into()));
        assert_eq!(written("a@b.example\r\nBcc: c@d.example", "s", "b"), Err("address_invalid".into()));
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert_eq!(written("a@b.example", "s", endless), Err("template_failed".into()));
    }
}
