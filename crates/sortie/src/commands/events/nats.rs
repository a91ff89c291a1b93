//! Where NATS is, on the command line.

use std::path::PathBuf;

use clap::Args;
use sortie_client::events_nats::{Login, Nats};

/// Where NATS is, and how one signs in.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which NATS")]
pub(super) struct NatsOptions {
    /// Its address: nats://HOST:4222 or tls://HOST:4222; several with commas between them
    #[arg(long, value_name = "URL", env = "SORTIE_NATS_URL")]
    nats: String,
    /// The file with a JWT and its key, as `nsc` makes it
    #[arg(long, value_name = "FILE", env = "SORTIE_NATS_CREDENTIALS", conflicts_with = "nats_user")]
    nats_credentials: Option<PathBuf>,
    /// Who signs in
    #[arg(long, value_name = "USER", env = "SORTIE_NATS_USER", requires = "nats_password_file")]
    nats_user: Option<String>,
    /// The file with the user's password
    #[arg(long, value_name = "FILE", env = "SORTIE_NATS_PASSWORD_FILE", requires = "nats_user")]
    nats_password_file: Option<PathBuf>,
    /// The certificate authority to believe (PEM), in place of the operating system's
    #[arg(long, value_name = "FILE", env = "SORTIE_NATS_CA")]
    nats_ca: Option<PathBuf>,
}

impl NatsOptions {
    /// As the client takes it.
    pub(super) fn nats(self) -> Nats {
        let login = match (self.nats_credentials, self.nats_user, self.nats_password_file) {
            (Some(file), ..) => Login::Credentials(file),
            (None, Some(user), Some(file)) => Login::Password { user, file },
            _ => Login::None,
        };
        Nats { url: self.nats, login, ca_file: self.nats_ca, name: "sortie events setup".to_owned() }
    }
}
