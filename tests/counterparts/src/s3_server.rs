//! A private S3-compatible server: moto, which keeps its bucket in memory.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::python;
use crate::script::Script;

/// The bucket that is there.
const BUCKET: &str = "kept";
/// Whom it lets in.
const KEY_ID: &str = "AKIASTORY";
const SECRET: &str = "the-secret-of-this-story";

/// An S3-compatible server on a port of 127.0.0.1, with one bucket. It is gone when this is dropped.
#[derive(Debug)]
pub struct S3Server {
    folder: TempDir,
    script: Script,
    scheme: &'static str,
}

/// With what a server speaks TLS, each as PEM.
#[derive(Debug)]
pub struct S3Tls {
    /// Its certificate, which must be for 127.0.0.1.
    pub certificate: String,
    /// The certificate's key.
    pub key: String,
    /// The authority that vouches for it.
    pub authority: String,
}

impl S3Server {
    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> S3Server {
        S3Server::over("http", folder())
    }

    /// Starts one that speaks TLS and nothing else.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_with(tls: &S3Tls) -> S3Server {
        let folder = folder();
        for (name, text) in [("certificate.pem", &tls.certificate), ("key.pem", &tls.key), ("ca.pem", &tls.authority)] {
            std::fs::write(folder.path().join(name), text).expect("a new folder can be written");
        }
        S3Server::over("https", folder)
    }

    fn over(scheme: &'static str, folder: TempDir) -> S3Server {
        let path = folder.path().display().to_string();
        // Port 0 is one that the system picks, and that nobody can take in between.
        let script = Script::start(python::script(include_str!("s3_server.py"), &["0", &path, BUCKET, KEY_ID, SECRET]));
        let script = script.unwrap_or_else(|said| panic!("the S3 server does not start:\n{said}"));
        let server = S3Server { folder, script, scheme };
        server.change_keys(true);
        server
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.script.port)
    }

    /// Its bucket.
    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// Whom it lets in: an id and a secret.
    pub fn keys(&self) -> (&'static str, &'static str) {
        (KEY_ID, SECRET)
    }

    /// A file with the keys, in the form of Amazon's tools.
    pub fn keys_file(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Puts keys into that file which it does not know, or those that it does.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn change_keys(&self, known: bool) {
        let id = if known { KEY_ID } else { "AKIANOBODY" };
        let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {SECRET}\n");
        std::fs::write(self.keys_file(), text).expect("the folder can be written");
    }

    /// Whether it refuses everybody from now on.
    ///
    /// # Panics
    /// If its folder cannot be written.
    pub fn deny(&self, denies: bool) {
        self.mark("denied", denies);
    }

    /// Whether it answers from now on that it is overloaded.
    ///
    /// # Panics
    /// If its folder cannot be written.
    pub fn overload(&self, overloaded: bool) {
        self.mark("failing", overloaded);
    }

    fn mark(&self, name: &str, stands: bool) {
        let path = self.folder.path().join(name);
        let done = if stands { std::fs::write(path, "") } else { std::fs::remove_file(path) };
        done.expect("the folder can be written");
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("sortie-s3-").tempdir().expect("a folder for the server")
}
