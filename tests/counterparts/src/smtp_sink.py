"""A mail server that keeps what it gets: aiosmtpd, with a Maildir. It ends with its standard input."""

import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult

port, folder, size_max, certificate, key, password = sys.argv[1:]


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"sortie", password.encode()))


options = {"data_size_limit": int(size_max)}
if certificate:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    options |= {"tls_context": tls, "require_starttls": True}
if password:
    options |= {"authenticator": authenticate, "auth_required": True}
sink = Controller(Mailbox(folder), hostname="127.0.0.1", port=int(port), **options)
sink.start()
print("ready", flush=True)
sys.stdin.read()
sink.stop()
