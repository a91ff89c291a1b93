//! Hands mails to the mail server of the settings.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use sortie_rules::limits::POST_STEP_ANSWER_MAX;

use super::trouble::Trouble;
use crate::settings::{MailSecurity, MailSettings};

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// To whom.
    pub(crate) to: Vec<String>,
    /// The subject; it becomes one line.
    pub(crate) subject: String,
    /// The text.
    pub(crate) body: String,
}

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

    /// That there is a mail server.
    pub(crate) fn is_set_up(&self) -> Result<(), Trouble> {
        self.way().map(drop)
    }

    fn way(&self) -> Result<&Way, Trouble> {
        let missing = || Trouble::later("mail_not_set_up", "this hub has no mail server; set [mail] in hub.toml");
        self.0.as_ref().ok_or_else(missing)
    }

    /// Sends one mail. `id` is the same for each try, so that a receiver can tell a repeat.
    pub(crate) async fn send(&self, letter: &Letter, id: &str) -> Result<String, Trouble> {
        let way = self.way()?;
        let (message, to) = write(letter, &way.from, id)?;
        match way.transport.send(message).await {
            Ok(_) => Ok(format!("sent to {to}")),
            Err(error) if error.status().is_some_and(|code| is_final(code.into())) => {
                Err(Trouble::final_("mail_refused", format!("the mail server refuses it for good: {error}")))
            }
            Err(error) => Err(Trouble::later("mail_server", format!("the mail server did not take it: {error}"))),
        }
    }
}

/// Whether a mail server that answers so will never take this mail for this mailbox (RFC 5321, RFC 7504). Every other
/// answer may be about the hub, its password or the server's day, 554 above all, which is a greeting as well: there
/// another try may go better.
fn is_final(code: u16) -> bool {
    matches!(code, 550..=553 | 555 | 556)
}

/// A mail address as it is written, or why it is none.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.trim().parse().map_err(|error: lettre::address::AddressError| error.to_string())
}

/// A mail as it goes out, and whom it goes to in words.
fn write(letter: &Letter, from: &Mailbox, id: &str) -> Result<(Message, String), Trouble> {
    let domain = from.email.domain().to_owned();
    let mut message = Message::builder()
        .from(from.clone())
        .message_id(Some(format!("<{id}@{domain}>")))
        // One line, whatever the values in it were.
        .subject(letter.subject.split_whitespace().collect::<Vec<_>>().join(" "))
        .header(ContentType::TEXT_PLAIN);
    let mut to = Vec::new();
    for address in &letter.to {
        let invalid = |error| Trouble::final_("address_invalid", format!("`to` gave no mail address: {error}"));
        let mailbox = mailbox(address).map_err(invalid)?;
        to.push(mailbox.email.to_string());
        message = message.to(mailbox);
    }
    let message = message.body(letter.body.clone());
    let message = message.map_err(|error| Trouble::final_("mail_invalid", error.to_string()))?;
    Ok((message, to.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(to: &str, subject: &str, body: &str) -> Result<String, &'static str> {
        let letter = Letter { to: vec![to.into()], subject: subject.into(), body: body.into() };
        let from = "Sortie <hub@c.example>".parse().unwrap();
        let written = write(&letter, &from, "id-1").map_err(|trouble| trouble.code);
        written.map(|(message, _)| String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_mail_has_its_identity_and_one_line_of_subject() {
        let mail = written("a@b.example", "For Ann\r\nBcc: x@y.example", "Dear Ann").unwrap();
        assert!(mail.contains("To: a@b.example") && mail.contains("Message-ID: <id-1@c.example>"), "{mail}");
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(head.contains("Subject: For Ann Bcc: x@y.example") && !head.contains("\nBcc:"), "{head}");
    }

    #[test]
    fn only_what_is_about_the_mailbox_or_the_mail_is_final() {
        for code in [550, 551, 552, 553, 555, 556] {
            assert!(is_final(code), "{code}");
        }
        // Away, too many at once, an unknown command, no mail at all, a password that is wrong or wanted, a greeting.
        for code in [421, 450, 451, 452, 454, 500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 554] {
            assert!(!is_final(code), "{code}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_for_good() {
        assert_eq!(written("nobody", "s", "b"), Err("address_invalid"));
        assert_eq!(written("a@b.example\r\nBcc: c@d.example", "s", "b"), Err("address_invalid"));
    }
}
