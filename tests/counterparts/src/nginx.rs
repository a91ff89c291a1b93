//! A proxy that ends TLS in front of a hub: nginx, as one stands before many a service.

use std::path::Path;

use crate::keeper::{Keeper, folder_for, write};
use crate::ports::free_port;

/// How often to look for another port when someone took the one that was free a moment ago.
const STARTS_MAX: u32 = 5;

/// A proxy that ends TLS, on a port of 127.0.0.1 of its own. It is gone when this is dropped or the process ends
/// in whatever way.
#[derive(Debug)]
pub struct Nginx {
    port: u16,
    _keeper: Keeper,
}

impl Nginx {
    /// Starts one that shows this certificate and key (PEM), and passes what it gets on to `hub`, for example
    /// `127.0.0.1:8443`, over a TLS connection of its own.
    ///
    /// # Panics
    /// If nginx is not installed or does not start.
    pub fn before(hub: &str, certificate: &str, key: &str) -> Nginx {
        Nginx::start(&[hub], certificate, key)
    }

    /// Starts one that balances between several hubs. A request that it could not bring to one it brings to the next;
    /// one that was sent and not answered only if it may be repeated.
    ///
    /// # Panics
    /// If nginx is not installed or does not start.
    pub fn between(hubs: &[&str], certificate: &str, key: &str) -> Nginx {
        Nginx::start(hubs, certificate, key)
    }

    fn start(hubs: &[&str], certificate: &str, key: &str) -> Nginx {
        let mut said = String::new();
        for _ in 0..STARTS_MAX {
            let port = free_port();
            match try_start(hubs, certificate, key, port) {
                Ok(keeper) => return Nginx { port, _keeper: keeper },
                Err(why) => said = why,
            }
        }
        panic!("nginx does not start:\n{said}");
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

fn try_start(hubs: &[&str], certificate: &str, key: &str, port: u16) -> Result<Keeper, String> {
    let folder = folder_for("nginx");
    write(&folder.join("certificate.pem"), certificate);
    write(&folder.join("key.pem"), key);
    write(&folder.join("nginx.conf"), &configuration(&folder, hubs, port));
    Keeper::start(include_str!("nginx.sh"), "nginx", &folder)
}

/// What one would write by hand, and temporary files in a folder of its own. It takes a client's certificate, as
/// such proxies do, and passes none on.
///
/// Asked for `/nginx` it answers by itself. Between several it never counts one as gone: whoever is stopped and started
/// again is asked again at once.
fn configuration(folder: &Path, hubs: &[&str], port: u16) -> String {
    let folder = folder.display();
    let servers: String = hubs.iter().map(|hub| format!("server {hub} max_fails=0; ")).collect();
    let first = hubs[0];
    let next = if hubs.len() > 1 { "error timeout http_503" } else { "off" };
    format!(
        "worker_processes 2;
        pid {folder}/nginx.pid;
        error_log {folder}/error.log;
        events {{ worker_connections 256; }}
        http {{
            access_log off;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            client_max_body_size 32m;
            upstream hubs {{ {servers} }}
            server {{
                listen 127.0.0.1:{port} ssl;
                ssl_certificate {folder}/certificate.pem;
                ssl_certificate_key {folder}/key.pem;
                location = /nginx {{
                    return 200 \"nginx\";
                }}
                location / {{
                    proxy_pass https://hubs;
                    proxy_http_version 1.1;
                    proxy_set_header Connection \"\";
                    proxy_set_header Host {first};
                    proxy_read_timeout 90s;
                    proxy_next_upstream {next};
                }}
            }}
        }}
        "
    )
}
