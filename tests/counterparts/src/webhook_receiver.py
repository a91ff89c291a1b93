"""A receiver of webhooks that judges them with the reference library of Standard Webhooks. Each line
on standard output is one call. The statuses given are answered one after the other, the last for ever.
It ends with its standard input."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret, *statuses = sys.argv[1:]
lock = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            Webhook(secret).verify(body, dict(self.headers))
            verified = True
        except WebhookVerificationError as why:
            verified = str(why)
        with lock:
            status = int(statuses.pop(0) if len(statuses) > 1 else statuses[0])
            call = {
                "id": self.headers["webhook-id"],
                "path": self.path,
                "verified": verified,
                "status": status,
                "type": self.headers["content-type"],
                "body": json.loads(body),
            }
            print(json.dumps(call), flush=True)
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", f"http://127.0.0.1:{port}/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
port = server.server_address[1]
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", port, flush=True)
sys.stdin.read()
