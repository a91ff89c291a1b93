"""The imaging tasks of the pack `imaging-trust` inside a site's own Orthanc: a plugin in Python.

A project is a name for the studies that a query finds, and for the users who may read them. Both are kept in
Orthanc's own database. The agent of the site posts each task's payload to one of the addresses below, and the
answer is the task's result. Nothing else may call them: who does must bear the token of the configuration.

    "Plugins": ["/usr/lib/orthanc/libOrthancPython.so.4.0"],
    "PythonScript": "/etc/orthanc/imaging.py",
    "ImagingTrust": {"TokenFile": "/etc/orthanc/imaging.token"}
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading

import orthanc

# Where Orthanc keeps what is ours: a property of the server, and one of each study.
STATE, PROJECT_OF_STUDY = 1024, "1024"
lock = threading.Lock()

with open(json.loads(orthanc.GetConfiguration())["ImagingTrust"]["TokenFile"]) as file:
    TOKEN = file.read().strip()
if len(TOKEN) < 16:
    raise ValueError("the token of ImagingTrust.TokenFile has fewer than 16 characters")


class Refused(Exception):
    """A task that cannot be done: an HTTP status and why."""


def load():
    return json.loads(orthanc.GetGlobalProperty(STATE, '{"projects": {}, "users": {}}'))


def save(state):
    orthanc.SetGlobalProperty(STATE, json.dumps(state))


def project_of(state, project_id):
    project = state["projects"].get(project_id)
    if project is None:
        raise Refused(404, f"there is no imaging project {project_id} here")
    return project


def studies_of(project_id):
    found = json.loads(orthanc.RestApiPost("/tools/find", json.dumps({"Level": "Study", "Query": {}})))
    return [study for study in found if belongs_to(study) == project_id]


def belongs_to(study):
    if PROJECT_OF_STUDY not in json.loads(orthanc.RestApiGet(f"/studies/{study}/metadata?numeric")):
        return None
    return orthanc.RestApiGet(f"/studies/{study}/metadata/{PROJECT_OF_STUDY}").decode()


def take_studies(project_id, query):
    """Marks what the query finds and no other project has. Returns how many were not the project's before."""
    found = json.loads(orthanc.RestApiPost("/tools/find", json.dumps({"Level": "Study", "Query": query})))
    fresh = [study for study in found if belongs_to(study) is None]
    for study in fresh:
        orthanc.RestApiPut(f"/studies/{study}/metadata/{PROJECT_OF_STUDY}", project_id)
    return len(fresh)


def digest(password, salt):
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def add_user(state, user, task):
    """Returns the password of a user who is new, or whom a run of the same task made whose answer got lost."""
    known = state["users"].get(user["email"])
    if known is not None and known["task"] != task:
        return None
    password, salt = secrets.token_urlsafe(12), secrets.token_hex(16)
    state["users"][user["email"]] = {
        "name": user["name"], "enabled": True, "salt": salt, "hash": digest(password, salt), "task": task,
    }
    return password


def create(payload, task):
    state = load()
    project_id, name = payload["project_id"], payload["name"]
    project = state["projects"].setdefault(project_id, {})
    project.update(name=name, query=payload["query"], users=[user["email"] for user in payload.get("users", [])])
    created, added = [], []
    for user in payload.get("users", []):
        password = add_user(state, user, task)
        if password is None:
            added.append({"email": user["email"], "name": user["name"]})
        else:
            created.append({"email": user["email"], "name": user["name"], "password": password})
    save(state)
    take_studies(project_id, payload["query"])
    return {
        "project": {"id": project_id, "name": name},
        "studies": len(studies_of(project_id)),
        "created_users": created,
        "added_users": added,
    }


def delete(payload, task):
    state = load()
    project_id = payload["project_id"]
    project = state["projects"].pop(project_id, None)
    studies = studies_of(project_id)
    for study in studies:
        orthanc.RestApiDelete(f"/studies/{study}/metadata/{PROJECT_OF_STUDY}")
    save(state)
    return {"deleted": project is not None, "studies": len(studies)}


def status(payload, task):
    project_id = payload["project_id"]
    project = load()["projects"].get(project_id)
    if project is None:
        # A site need not have every project.
        return {"exists": False}
    studies = studies_of(project_id)
    counts = [json.loads(orthanc.RestApiGet(f"/studies/{study}/statistics")) for study in studies]
    return {
        "exists": True,
        "project": {"id": project_id, "name": project["name"]},
        "studies": len(studies),
        "instances": sum(int(count["CountInstances"]) for count in counts),
    }


def reimport(payload, task):
    project_id = payload["project_id"]
    added = take_studies(project_id, project_of(load(), project_id)["query"])
    return {"project_id": project_id, "added": added, "studies": len(studies_of(project_id))}


def update_user(payload, task):
    state = load()
    user = state["users"].get(payload["email"])
    if user is None:
        raise Refused(404, f"there is no user {payload['email']} here")
    user["name"] = payload.get("name", user["name"])
    user["enabled"] = payload.get("enabled", user["enabled"])
    save(state)
    return {"email": payload["email"], "name": user["name"], "enabled": user["enabled"]}


def refuse(output, status, why):
    body = json.dumps({"error": why})
    output.SendHttpStatus(status, body, len(body))


def serve(address, work):
    def answer(output, uri, **request):
        if request["method"] != "POST":
            output.SendMethodNotAllowed("POST")
            return
        try:
            with lock:
                result = work(json.loads(request["body"]), request["headers"].get("sortie-task-id", ""))
        except Refused as refused:
            refuse(output, *refused.args)
        except (KeyError, TypeError, ValueError) as error:
            refuse(output, 422, f"the payload cannot be read: {error!r}")
        else:
            output.AnswerBuffer(json.dumps(result), "application/json")

    orthanc.RegisterRestCallback(address, answer)


def signed_in(state, headers):
    """The mail address of an enabled user whose password the request bears."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        email, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except ValueError:
        return None
    user = state["users"].get(email, {"enabled": False, "salt": "00", "hash": ""})
    fits = hmac.compare_digest(digest(password, user["salt"]), user["hash"])
    return email if fits and user["enabled"] else None


def study_of(uri):
    """The study that an address is about; None if it is about none, or about more than one."""
    kind, _, rest = uri.strip("/").partition("/")
    found = rest.partition("/")[0]
    try:
        if kind == "instances" and found:
            kind, found = "series", json.loads(orthanc.RestApiGet(f"/instances/{found}"))["ParentSeries"]
        if kind == "series" and found:
            kind, found = "studies", json.loads(orthanc.RestApiGet(f"/series/{found}"))["ParentStudy"]
        return found if kind == "studies" and found else None
    except (orthanc.OrthancException, KeyError, ValueError):
        return None


def may_enter(uri, **request):
    """The agent by the token, everywhere; a user by the password, to read studies of the user's projects."""
    scheme, _, given = request["headers"].get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return hmac.compare_digest(given, TOKEN)
    if request["method"] != orthanc.HttpMethod.GET:
        return False
    state = load()
    email = signed_in(state, request["headers"])
    if email is None:
        return False
    if uri == "/imaging-trust/studies":
        return True
    study = study_of(uri)
    project = state["projects"].get(study and belongs_to(study))
    return project is not None and email in project["users"]


def my_studies(output, uri, **request):
    """The studies of the projects of whoever asks."""
    state = load()
    email = signed_in(state, request["headers"])
    mine = [project_id for project_id, project in state["projects"].items() if email in project["users"]]
    studies = [study for project_id in mine for study in studies_of(project_id)]
    output.AnswerBuffer(json.dumps(studies), "application/json")


serve("/imaging-trust/create", create)
serve("/imaging-trust/delete", delete)
serve("/imaging-trust/status", status)
serve("/imaging-trust/reimport", reimport)
serve("/imaging-trust/users", update_user)
orthanc.RegisterRestCallback("/imaging-trust/studies", my_studies)
orthanc.RegisterIncomingHttpRequestFilter(may_enter)
