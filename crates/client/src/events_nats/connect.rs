//! Where NATS is, and how one signs in.

use std::path::{Path, PathBuf};

use async_nats::{ConnectErrorKind, ConnectOptions};
use sortie_rules::limits::NATS_ANSWER_MAX;

use super::error::NatsError;

/// Where NATS is, and how one signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nats {
    /// `nats://HOST:4222` or `tls://HOST:4222`; several have commas between them.
    pub url: String,
    /// How one signs in.
    pub login: Login,
    /// The certificate authority to believe in place of the operating system's.
    pub ca_file: Option<PathBuf>,
    /// What the server's list of connections calls this one.
    pub name: String,
}

/// How one signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Login {
    /// Not at all.
    #[default]
    None,
    /// With the file of a JWT and its key, as `nsc` makes it.
    Credentials(PathBuf),
    /// With a password from a file.
    Password {
        /// Who.
        user: String,
        /// The file.
        file: PathBuf,
    },
}

impl Nats {
    /// Connects. The connection is made anew by itself whenever it breaks.
    pub async fn connect(&self) -> Result<async_nats::Client, NatsError> {
        crate::install_crypto();
        let wrong = |why: String| NatsError { url: self.url.clone(), why, refused: true };
        let read = |file: &Path| {
            let text = std::fs::read_to_string(file);
            text.map_err(|error| wrong(format!("needs {}: {error}", file.display())))
        };
        let urls: Vec<&str> = self.url.split(',').map(str::trim).collect();
        let mut options = ConnectOptions::new()
            .name(&self.name)
            .connection_timeout(NATS_ANSWER_MAX.to_std())
            .require_tls(urls.iter().any(|url| url.starts_with("tls://")));
        options = match &self.login {
            Login::None => options,
            Login::Credentials(file) => options
                .credentials(&read(file)?)
                .map_err(|error| wrong(format!("needs credentials, and {} has none: {error}", file.display())))?,
            Login::Password { user, file } => {
                options.user_and_password(user.clone(), read(file)?.trim_end_matches(['\n', '\r']).to_owned())
            }
        };
        if let Some(file) = &self.ca_file {
            read(file)?;
            options = options.add_root_certificates(file.clone());
        }
        options.connect(urls).await.map_err(|error| {
            let (verb, refused) = match error.kind() {
                ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                    ("does not let us in", true)
                }
                ConnectErrorKind::ServerParse => ("is no address of a server", true),
                _ => ("cannot be reached", false),
            };
            NatsError { url: self.url.clone(), why: format!("{verb}: {error}"), refused }
        })
    }
}
