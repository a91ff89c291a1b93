#!/usr/bin/env python3
"""The site's half of `storage.policy`: tells which disks there are, and makes each what its policy says.

    storage.py report              prints a report for each disk, under its durable id
    storage.py check|apply         reads a resource on standard input, as an applier does

Disks are found under STORAGE_BY_ID (usually /dev/disk/by-id), and mounted only below STORAGE_MOUNTS (usually /srv).
Nothing is formatted on which anything is, whatever the policy says.
"""

import json
import os
import pathlib
import subprocess
import sys

BY_ID = pathlib.Path(os.environ.get("STORAGE_BY_ID", "/dev/disk/by-id"))
MOUNTS = pathlib.Path(os.environ.get("STORAGE_MOUNTS", "/srv"))
# Where blkid and mkfs are, beside what the agent's clean environment has.
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"
# How much of the beginning of a disk must be empty for it to count as blank, beside what blkid knows.
BLANK_BYTES = 1 << 20


class Trouble(Exception):
    """Something for the person who reads the condition."""


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise Trouble(f"{words[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def filesystem(device):
    """The file system or whatever else blkid finds on a device; nothing if it finds nothing."""
    done = subprocess.run(
        ["blkid", "--probe", "--output", "export", device], capture_output=True, text=True, check=False
    )
    if done.returncode == 2:
        return None
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return found.get("TYPE") or found.get("PTTYPE") or "unknown"


def is_blank(device):
    if filesystem(device) is not None:
        return False
    with open(device, "rb") as disk:
        return not any(disk.read(BLANK_BYTES))


def mounted_at(device):
    """Where a device is mounted; a file, too, by way of the loop device that stands for it."""
    stands_for = {os.path.realpath(device)}
    for loop in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        if loop.read_text().strip() == os.path.realpath(device):
            stands_for.add(f"/dev/{loop.parent.parent.name}")
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            source, place = line.split()[:2]
            if source in stands_for:
                return place.encode().decode("unicode_escape")
    return None


def size(device):
    with open(device, "rb") as disk:
        return disk.seek(0, os.SEEK_END)


def report():
    reports = []
    for entry in sorted(BY_ID.iterdir()) if BY_ID.is_dir() else []:
        if "-part" in entry.name:
            continue
        device = os.path.realpath(entry)
        try:
            found = filesystem(device)
            facts = {
                "durable_id": entry.name,
                "device": device,
                "size_bytes": size(device),
                "filesystem": found,
                "blank": found is None and is_blank(device),
                "mounted_at": mounted_at(device),
            }
        except OSError as error:
            facts = {"durable_id": entry.name, "device": device, "trouble": error.strerror}
        reports.append({"subject": entry.name, "facts": facts})
    json.dump(reports, sys.stdout)


def device_of(spec):
    entry = BY_ID / spec["durable_id"]
    if not entry.exists():
        raise Trouble(f"the disk {spec['durable_id']} is not plugged in")
    return os.path.realpath(entry)


def place_of(spec):
    place = pathlib.Path(spec["mount"])
    if MOUNTS != place and MOUNTS not in place.parents:
        raise Trouble(f"{place} is not below {MOUNTS}, where this site mounts disks")
    return str(place)


def check(spec):
    """What is otherwise, as a sentence; nothing if all is as it should be."""
    at = mounted_at(device_of(spec))
    if spec["use"] == "none":
        return f"it is mounted at {at}" if at else None
    place = place_of(spec)
    if at == place:
        return None
    return f"it is mounted at {at} and not at {place}" if at else "it is not mounted"


def apply(spec):
    device = device_of(spec)
    at = mounted_at(device)
    place = None if spec["use"] == "none" else place_of(spec)
    if at == place:
        return
    if at is not None:
        run("umount", at)
    if place is None:
        return
    if filesystem(device) is None:
        if spec.get("format") != "if_blank":
            raise Trouble("the disk has no file system, and its policy does not let it be formatted")
        if not is_blank(device):
            raise Trouble("there is something on the disk that blkid does not know; it is not formatted")
        run("mkfs.ext4", "-q", device)
    pathlib.Path(place).mkdir(parents=True, exist_ok=True)
    run("mount", device, place)


def main():
    try:
        if sys.argv[1:] == ["report"]:
            return report()
        if sys.argv[1:] in (["check"], ["apply"]):
            spec = json.load(sys.stdin)["spec"]
            if sys.argv[1] == "apply":
                return apply(spec)
            otherwise = check(spec)
            if otherwise:
                json.dump({"message": otherwise}, sys.stdout)
                sys.exit(1)
            return None
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        sys.exit(2)
    print(__doc__, file=sys.stderr)
    sys.exit(64)


if __name__ == "__main__":
    main()
