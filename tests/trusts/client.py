"""A site's client as an earlier system has it: it polls, does what it knows, reports, says that it is there.
It knows three calls and a key, and nothing else of the hub."""

import json
import ssl
import sys
import urllib.error
import urllib.request

hub, name, key, ca = sys.argv[1:]
tls = ssl.create_default_context(cafile=ca)


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(hub + path, data, headers, method=method)
    with urllib.request.urlopen(request, context=tls) as answer:
        return json.load(answer)


def do(task):
    if task["payload"].get("note") == "break":
        return {"status": "FAILED", "error": "it broke"}
    return {"status": "COMPLETED", "result": {"slept_ms": task["payload"]["ms"]}}


call("POST", f"/trust/{name}/heartbeat", {})
for task in call("GET", f"/tasks/{name}/pending"):
    assert task["status"] == "IN_PROGRESS" and task["task_type"] == "sleep", task
    print(json.dumps(call("POST", f"/tasks/{name}/{task['id']}/result", do(task))))
