"""A mail server that keeps what it gets: aiosmtpd, with a Maildir. It ends with its standard input."""

import socket
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
listener = socket.create_server(("127.0.0.1", int(port)))


class Sink(Controller):
    """Listens on a socket that is bound already: port 0 is one that nobody else can take."""

    def _create_server(self):
        return self.loop.create_server(self._factory_invoker, sock=listener)


sink = Sink(Mailbox(folder), hostname="127.0.0.1", port=listener.getsockname()[1], **options)
sink.start()
print("ready", sink.port, flush=True)
sys.stdin.read()
sink.stop()
