#!/usr/bin/env python3
"""Backups of a box by restic: what does `backup.run`, `backup.check` and `backup.restore`, and tells of the newest.

    backup.py run|check|restore OPTIONS   reads a payload on standard input, as a handler does
    backup.py report OPTIONS              prints a report for each target: its newest backup

What is backed up to where stands in a file of targets, which the hub may place. What of it this site lets be done
stands in the options, which its policy gives and the hub cannot change:

    --targets FILE      the file of targets: {"targets": {NAME: {"repository", "password_file", "paths", …}}}
    --from DIR          a folder of which files may be backed up; may be given several times
    --to PREFIX         a repository, or a folder of repositories, that may be used; may be given several times
    --into DIR          a folder into which files may be restored, each snapshot into a folder of its own below;
                        may be given several times
    --cache DIR         where restic keeps what it knows of repositories; nowhere if left out
    --state FILE        where a run writes how it ended, so that a report can tell it; nowhere if left out
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

# How the policy knows that trying again may help.
TRY_AGAIN = 75
# Ends restic with this program, however that ends (PR_SET_PDEATHSIG).
ENDS_WITH_PARENT = 1
# How long restic may take to put its own things away when it is asked to stop, in seconds.
STOP_WITHIN = 20
# What restic asks whenever it cannot open a repository, be it that there is none or that it cannot be reached.
IS_THERE_ONE = "Is there a repository at the following location?"
# What stands before that question if there is none. A key that S3 does not know is not in its records.
IS_ABSENT = re.compile(r"does not exist(?! in our records)|no such file|(?<![\w./:-])404(?![\w./:-])", re.IGNORECASE)
NOT_LET = "the policy of this site does not let"


class Trouble(Exception):
    """Something for the person who reads the task; `again` if another try may help."""

    def __init__(self, sentence, again=False):
        super().__init__(sentence)
        self.again = again


class Stopped(Exception):
    """Somebody has called the task off."""


def say(line):
    print(line, file=sys.stderr, flush=True)


def is_below(path, folders):
    """Whether a path, with every link in it followed, is in one of these folders or is one."""
    real = pathlib.Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)


class Target:
    """One target, as far as this site lets it be used."""

    def __init__(self, options, name):
        targets = targets_of(options)
        if name not in targets:
            known = ", ".join(sorted(targets)) or "none"
            raise Trouble(f"there is no target `{name}` in {options.targets}; there are: {known}")
        spec = targets[name]
        self.name, self.options = name, options
        try:
            self.repository, self.password_file = spec["repository"], spec["password_file"]
            # Written as restic will read them: it takes `..` for the folder before it, also behind a link.
            self.paths = [os.path.normpath(path) for path in spec["paths"]]
            self.exclude, self.create = list(spec.get("exclude", [])), spec.get("create") is True
            self.mounted = spec.get("mounted")
        except (KeyError, TypeError) as missing:
            needs = "`repository`, `password_file` and `paths`"
            raise Trouble(f"the target `{name}` needs {needs} ({missing})") from None
        self.tag = f"target:{name}"
        if not self.is_allowed():
            raise Trouble(f"{NOT_LET} `{name}` be kept where it says; its options --to list where")
        for path in self.paths:
            if not os.path.isabs(path) or not is_below(path, options.sources):
                raise Trouble(f"{NOT_LET} {path} be backed up; its options --from list what may")

    def is_allowed(self):
        if os.path.isabs(self.repository):
            return is_below(self.repository, [place for place in self.options.places if os.path.isabs(place)])
        remote = [place.rstrip("/") for place in self.options.places if not os.path.isabs(place)]
        has_dots = any(part in (".", "..") for part in self.repository.split("/"))
        return not has_dots and any(self.repository == one or self.repository.startswith(one + "/") for one in remote)

    def ready(self):
        """Refuses what would go wrong in a way that restic does not see."""
        if self.mounted and not os.path.ismount(self.mounted):
            what = "plug the backup's disk in, or see how its storage.policy stands"
            raise Trouble(f"{self.mounted} is not mounted: {what}", again=True)
        try:
            mode = os.stat(self.password_file).st_mode
        except OSError:
            where = f"the password is not at {self.password_file}"
            raise Trouble(f"{where}: a file of the desired state places it there") from None
        if stat.S_IMODE(mode) & 0o077:
            raise Trouble(f"others may read {self.password_file}; give that file the mode 0600")

    def restic(self, *words, heard=None):
        """Runs restic and gives what it wrote, or gives each line to `heard` as it comes."""
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "LANG") if key in os.environ}
        environment |= {"RESTIC_REPOSITORY": self.repository, "RESTIC_PASSWORD_FILE": self.password_file}
        environment["RESTIC_PROGRESS_FPS"] = "2"
        cache = ["--cache-dir", self.options.cache] if self.options.cache else ["--no-cache"]
        libc = ctypes.CDLL(None)

        def bound():
            libc.prctl(ENDS_WITH_PARENT, signal.SIGKILL)

        # A file, for a pipe that nobody reads would hold restic up when it complains of many files.
        with tempfile.TemporaryFile("w+", errors="replace") as complaints:
            # restic stays in this program's group, by which the agent counts memory and processes, so a stop reaches it
            # too. Newer versions put their things away then. Older ones end at once, for Go lets nobody ignore or hold
            # back the signal for them, and `clear` takes away what they leave. A stop waits here until restic is
            # begun, so that there is none that this program does not know of.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            restic = self.begin(["restic", *cache, *words], environment, bound, complaints)
            written = []
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
                for line in restic.stdout:
                    if heard:
                        heard(line)
                    else:
                        written.append(line)
                restic.wait()
            except Stopped:
                restic.send_signal(signal.SIGINT)
                try:
                    restic.communicate(timeout=STOP_WITHIN)
                except subprocess.TimeoutExpired:
                    restic.kill()
                    restic.communicate()
                raise
            complaints.seek(0)
            if restic.returncode != 0:
                raise self.trouble(words[0], restic.returncode, complaints.read())
        return "".join(written)

    @staticmethod
    def begin(words, environment, bound, complaints):
        try:
            return subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                errors="replace",
                env=environment,
                preexec_fn=bound,
            )
        except FileNotFoundError:
            raise Trouble("restic is not installed on this box; Debian's package is called restic") from None

    def trouble(self, verb, code, complaints):
        """What restic's complaint means, and what to do about it."""
        complaints = complaints.replace(self.repository, "REPOSITORY")
        lines = [line.strip() for line in complaints.splitlines() if line.strip()]
        text, last = "\n".join(lines).lower(), lines[-1] if lines else f"exit code {code}"
        whose = f"the repository of `{self.name}`"
        before, asked, _where = "\n".join(lines).partition(IS_THERE_ONE)
        why = before.rpartition("unable to open config file:")[2].strip()
        if code == 10 or (asked and IS_ABSENT.search(why)):
            how = '`"create": true` in its target lets the first backup make one'
            return NoRepository(f"there is no repository for `{self.name}`; {how}")
        for line in lines[-20:]:
            say(line)
        if asked:
            return Trouble(f"{whose} cannot be reached: {why}; this is tried again", again=True)
        if code == 12 or "wrong password" in text:
            return Trouble(f"the password at {self.password_file} does not open {whose}; it has had another")
        if code == 11 or "already locked" in text or "unable to create lock" in text:
            return Trouble(f"another restic works on {whose}; this one is tried again", again=True)
        if "no space left" in text or "quota" in text or "insufficient storage" in text:
            return Trouble(f"{whose} is full: give it more room, or thin it out with `restic forget --prune`")
        if verb == "backup" and code == 3:
            return Trouble(f"a backup of `{self.name}` was made, but some files could not be read: {last}")
        return Trouble(f"restic {verb} of `{self.name}` failed: {last}")

    def unlock(self):
        """Takes away locks of runs that are no more; those of others who are at work stay."""
        self.restic("unlock", "--quiet")

    def newest(self):
        """The newest backup of this target, if there is one."""
        found = json.loads(self.restic("snapshots", "--json", "--no-lock", "--tag", self.tag) or "null") or []
        return max(found, key=lambda one: taken_ms(one), default=None)


class NoRepository(Trouble):
    """There is none yet."""


def targets_of(options):
    try:
        with open(options.targets, encoding="utf-8") as file:
            targets = json.load(file)["targets"]
        return {name: spec for name, spec in targets.items() if isinstance(spec, dict)}
    except FileNotFoundError:
        raise Trouble(f"there is no {options.targets}: a file of the desired state places it there") from None
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        form = '{"targets": {NAME: …}}'
        raise Trouble(f"{options.targets} cannot be used ({type(error).__name__}); it holds {form}") from None


def taken_ms(snapshot):
    """When a backup was taken, in milliseconds since 1970. restic tells nanoseconds, which Python does not read."""
    text = re.sub(r"\.(\d{1,6})\d*", r".\1", snapshot["time"]).replace("Z", "+00:00")
    text = re.sub(r"\.(\d+)", lambda part: "." + part[1].ljust(6, "0"), text)
    return int(datetime.fromisoformat(text).astimezone(timezone.utc).timestamp() * 1000)


def written(moment_ms):
    """An instant as reports tell it (RFC 3339)."""
    return datetime.fromtimestamp(moment_ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def state_of(options):
    """How the last runs of each target ended, as far as that was written down."""
    try:
        with open(options.state, encoding="utf-8") as file:
            state = json.load(file)
        return {name: ends for name, ends in state.items() if isinstance(ends, dict)}
    except (TypeError, ValueError, AttributeError, OSError):
        return {}


def note(options, name, **ends):
    """Writes down how a run ended. A report that lacks it is no reason for a backup to fail."""
    if not options.state:
        return
    beside = f"{options.state}.new"
    try:
        os.makedirs(os.path.dirname(options.state), exist_ok=True)
        with open(f"{options.state}.lock", "w", encoding="utf-8") as lock:
            # Another target's run may end at the same moment.
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = state_of(options)
            state[name] = state.get(name, {}) | ends
            with open(beside, "w", encoding="utf-8") as file:
                json.dump(state, file)
            os.replace(beside, options.state)
    except OSError as error:
        say(f"How it ended could not be written down: {error}")


@contextlib.contextmanager
def holding(options, how):
    """Holds the lock of runs for as long as this process lives, and says whether it could. Runs share it; a look
    between them has it alone, so that it finds no snapshot whose end is not written down yet."""
    try:
        os.makedirs(os.path.dirname(options.state), exist_ok=True)
        lock = open(f"{options.state}.runs", "w", encoding="utf-8")
    except (TypeError, OSError):
        # No run can write down how it ended either.
        yield True
        return
    with lock:
        try:
            fcntl.flock(lock, how)
            held = True
        except BlockingIOError:
            held = False
        yield held


def run(options, payload):
    with holding(options, fcntl.LOCK_SH):
        return run_and_note(options, payload)


def run_and_note(options, payload):
    try:
        made = back_up(options, payload)
    except Trouble as trouble:
        # What is tried again is not told as failed: the deadline has the last word.
        if not trouble.again and isinstance(payload.get("target"), str):
            note(options, payload["target"], failed_at=written(time.time() * 1000), error=str(trouble)[:120])
        raise
    took_s = made["duration_ms"] // 1000
    ends = {"snapshot": made["snapshot"], "completed_at": written(time.time() * 1000)}
    note(options, made["target"], completed=ends | {"bytes": made["bytes"], "took_s": took_s})
    return made


def back_up(options, payload):
    target, began = Target(options, payload["target"]), time.monotonic()
    target.ready()
    try:
        target.unlock()
    except NoRepository:
        if not target.create:
            raise
        say(f"There is no repository for `{target.name}` yet; it is made.")
        target.restic("init")
    for path in target.paths:
        if os.path.islink(path):
            instead = f"name what it leads to, {os.path.realpath(path)}, in the target's `paths`"
            raise Trouble(f"{path} is a link, of which nothing but the link would be backed up: {instead}")
        if not os.path.exists(path):
            raise Trouble(f"{path} is not there; nothing was backed up")
    summary, told = {}, -1

    def heard(line):
        nonlocal summary, told
        try:
            message = json.loads(line)
        except ValueError:
            return
        if message.get("message_type") == "summary":
            summary = message
        percent = int(message.get("percent_done", 0) * 100)
        if message.get("message_type") == "status" and percent > told:
            told = percent
            say(f"@progress {percent} {message.get('files_done', 0)} of {message.get('total_files', 0)} files")

    excludes = [word for pattern in target.exclude for word in ("--exclude", pattern)]
    try:
        target.restic("backup", "--json", "--tag", target.tag, *excludes, "--", *target.paths, heard=heard)
    except Stopped:
        clear(target)
        raise
    return {
        "target": target.name,
        "snapshot": summary["snapshot_id"],
        "files": summary["total_files_processed"],
        "bytes": summary["total_bytes_processed"],
        "added_bytes": summary["data_added"],
        "duration_ms": int((time.monotonic() - began) * 1000),
    }


def clear(target):
    """After a stop: no lock stays, even if restic was ended before it could take its own away."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        target.unlock()
    except Trouble as trouble:
        say(f"The repository could not be unlocked: {trouble}")


def check(options, payload):
    target, began = Target(options, payload["target"]), time.monotonic()
    target.ready()
    target.unlock()
    subset = int(payload.get("read_percent") or 0)
    try:
        target.restic("check", *([f"--read-data-subset={subset}%"] if subset else []))
        newest = target.newest()
    except Stopped:
        clear(target)
        raise
    last = {"snapshot": newest["short_id"], "taken_ms": taken_ms(newest)} if newest else {}
    return {"target": target.name, "duration_ms": int((time.monotonic() - began) * 1000)} | last


def restore(options, payload):
    target, began = Target(options, payload["target"]), time.monotonic()
    into = payload["into"]
    if not os.path.isabs(into) or not is_below(into, options.into):
        raise Trouble(f"{NOT_LET} anything be restored into {into}; its options --into list where")
    snapshot = payload.get("snapshot")
    # What the hub says is held against the schema here, too: it would be an option to restic otherwise.
    if snapshot is not None and not re.fullmatch("[0-9a-f]{8,64}", str(snapshot)):
        raise Trouble("`snapshot` is no id of a snapshot")
    target.ready()
    target.unlock()
    if snapshot is None:
        newest = target.newest()
        if newest is None:
            raise Trouble(f"there is no backup of `{target.name}` yet")
        snapshot = newest["short_id"]
    folder = folder_of(into, snapshot)
    try:
        held = json.loads(target.restic("stats", "--json", "--mode", "restore-size", snapshot))
        target.restic("restore", snapshot, "--target", folder)
    except Stopped:
        clear(target)
        raise
    return {
        "target": target.name,
        "snapshot": snapshot,
        "into": folder,
        "entries": held["total_file_count"],
        "bytes": held["total_size"],
        "duration_ms": int((time.monotonic() - began) * 1000),
    }


def folder_of(into, snapshot):
    """The folder of one snapshot. restic follows the links that it finds, so nobody else's are to lie there."""
    folder = os.path.join(into, snapshot)
    os.makedirs(into, exist_ok=True)
    try:
        # For nobody else to enter: who gets a folder back could put a link there before a second try.
        os.mkdir(folder, 0o700)
    except FileExistsError:
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode):
            raise Trouble(f"{folder} is a link or a file, and nothing is restored through it; remove it") from None
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise Trouble(f"others may write to {folder}, so nothing is restored into it; remove it") from None
    return folder


def ends_of(state, newest, between_runs):
    """What deadlines and events of backups go by: when the newest good one was completed, and when one failed."""
    ends = {key: state[key] for key in ("failed_at", "error") if key in state}
    if newest is None:
        return ends
    completed = state.get("completed", {})
    # The repository is what counts: of a snapshot that another run has made only its time is known. While a run is
    # under way, the newest may be its own, of which more will be known.
    if not between_runs or str(completed.get("snapshot", "")).startswith(newest["short_id"]):
        return ends | {key: completed[key] for key in ("completed_at", "bytes", "took_s") if key in completed}
    return ends | {"completed_at": written(taken_ms(newest))}


def report(options, _payload):
    with holding(options, fcntl.LOCK_EX | fcntl.LOCK_NB) as between_runs:
        return reports_of(options, between_runs)


def reports_of(options, between_runs):
    reports, state = [], state_of(options)
    for name in sorted(targets_of(options)):
        newest = None
        try:
            target = Target(options, name)
            target.ready()
            newest = target.newest()
            facts = {"last": None}
            if newest:
                last = {"snapshot": newest["short_id"], "taken_ms": taken_ms(newest), "paths": newest["paths"]}
                facts = {"last": last | {"machine": newest["hostname"]}}
        except NoRepository:
            facts = {"last": None}
        except Trouble as trouble:
            facts = {"trouble": str(trouble)}
        reports.append({"subject": name, "facts": facts | ends_of(state.get(name, {}), newest, between_runs)})
    return reports


def stop(_signal, _frame):
    # Once: what is done because of it is not to be cut by the next.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def main():
    verbs = {"run": run, "check": check, "restore": restore, "report": report}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=verbs)
    parser.add_argument("--targets", required=True)
    parser.add_argument("--from", dest="sources", action="append", default=[])
    parser.add_argument("--to", dest="places", action="append", default=[])
    parser.add_argument("--into", action="append", default=[])
    parser.add_argument("--cache")
    parser.add_argument("--state")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    try:
        payload = None if options.verb == "report" else json.load(sys.stdin)
        json.dump(verbs[options.verb](options, payload), sys.stdout)
    except Trouble as trouble:
        say(trouble)
        sys.exit(TRY_AGAIN if trouble.again else 1)
    except Stopped:
        say("It was called off.")
        sys.exit(1)


if __name__ == "__main__":
    main()
