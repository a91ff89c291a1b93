"""An S3-compatible server that keeps its buckets in memory: moto. It ends with its standard input.

What moto does not do is done before it: it lets in whom the story has named, and nobody while the file `denied` lies in
the story's folder; while `failing` lies there every request is answered as an overloaded store does. Where
`certificate.pem` and `key.pem` lie there when it starts, it speaks TLS with them and nothing else; `ca.pem` is whom to believe
then.
"""

import os
import sys
import threading

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

port, folder, bucket, key_id, secret = sys.argv[1:]
moto = DomainDispatcherApplication(create_backend_app)


def refused(start_response, status, code):
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'.encode()
    start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def served(environ, start_response):
    if f"Credential={key_id}/" not in environ.get("HTTP_AUTHORIZATION", ""):
        return refused(start_response, "403 Forbidden", "InvalidAccessKeyId")
    if os.path.exists(os.path.join(folder, "denied")):
        return refused(start_response, "403 Forbidden", "AccessDenied")
    if os.path.exists(os.path.join(folder, "failing")):
        return refused(start_response, "503 Service Unavailable", "SlowDown")
    return moto(environ, start_response)


class Quiet(WSGIRequestHandler):
    """Keeps connections, and says nothing."""

    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


certificate, key, authority = (os.path.join(folder, name) for name in ("certificate.pem", "key.pem", "ca.pem"))
tls = (certificate, key) if os.path.exists(certificate) else None
scheme = "https" if tls else "http"
server = make_server("127.0.0.1", int(port), served, threaded=True, request_handler=Quiet, ssl_context=tls)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"{scheme}://127.0.0.1:{server.server_port}"
keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret, "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=address, verify=authority if tls else None, **keys).create_bucket(Bucket=bucket)
print("ready", server.server_port, flush=True)
sys.stdin.read()
server.shutdown()
