"""Tests the wall for real, each layer by its name: what a session sees of itself is compared with what is outside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from toolkit.sandbox.root import WRITABLE, environment, sizes
from toolkit.sandbox.sandbox import Limits, Text
from toolkit.sandbox.session import WalledSession

__all__ = ["Layer", "Layered", "layers"]

_NAMESPACES: Final = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user")
_GET_NO_NEW_PRIVS: Final = 39

_LOOK: Final = f"""
import ctypes, json, os, resource
def tried(work):
    try:
        work()
    except OSError as error:
        return error.errno
    return 0
def linked(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
import socket
print(json.dumps({{
    "namespaces": {{name: linked("/proc/self/ns/" + name) for name in {_NAMESPACES!r}}},
    "kernel": os.uname().release,
    "uid": os.getuid(),
    "status": {{name: status.get(name, "") for name in ("CapEff", "CapPrm", "Seccomp")}},
    "no_new_privileges": ctypes.CDLL(None).prctl({_GET_NO_NEW_PRIVS}, 0, 0, 0, 0),
    "environment": dict(os.environ),
    "root": sorted(os.listdir("/")),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line],
    "processes": [int(name) for name in os.listdir("/proc") if name.isdigit()],
    "writing": [tried(lambda: open(path, "w")) for path in ("/x", "/usr/x", "/python/x", "/dev/x", "/proc/sys/x")],
    "socket": tried(socket.socket),
    "folders": {{path: os.statvfs(path).f_blocks * os.statvfs(path).f_frsize for path in {WRITABLE!r}}},
    "limits": {{name: resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1]
               for name in ("AS", "CPU", "NPROC", "NOFILE", "FSIZE", "CORE")}},
}}))
"""


class Layered(Protocol):
    """A sandbox whose sessions are behind layers."""

    @property
    def own_uid(self) -> bool:
        """Whether each session is a user of its own, whom nothing else belongs to."""
        ...

    @property
    def own_kernel(self) -> bool:
        """Whether what sessions call is no kernel of this machine."""
        ...

    async def open(self, limits: Limits) -> WalledSession:
        """Start a session."""
        ...


class Layer(NamedTuple):
    """One layer of the wall: whether it is there, and what was seen."""

    name: str
    holds: bool
    seen: str


async def layers(sandbox: Layered, limits: Limits) -> Sequence[Layer]:
    """Open a session and look at every layer around it. Raises SandboxUnavailable when none can be opened."""
    session = await sandbox.open(limits)
    try:
        text = "".join([each.text async for each in session.execute(_LOOK, limits) if isinstance(each, Text)])
        watched = await session.usage()
        landlock = session.layers["landlock"]
    finally:
        await session.aclose()
    return [
        *_around(json.loads(text), own_uid=sandbox.own_uid, own_kernel=sandbox.own_kernel),
        *_within(json.loads(text), limits, own_uid=sandbox.own_uid),
        Layer("Landlock", landlock > 0, f"version {landlock}" if landlock else "not in this kernel; mounts hold alone"),
        Layer("memory watch", watched.memory_bytes > 0, f"{watched.memory_bytes // 2**20} MiB in a bare session"),
    ]


def _around(inside: Mapping[str, Any], *, own_uid: bool, own_kernel: bool) -> Iterator[Layer]:
    if own_kernel:
        yield Layer("kernel", inside["kernel"] != os.uname().release, f"release {inside['kernel']}")
        return  # what it has of namespaces is within it
    for name in _NAMESPACES:
        if name == "user" and own_uid:
            continue  # a user of its own is more
        there, here = inside["namespaces"][name], os.readlink(f"/proc/self/ns/{name}")
        yield Layer(f"{name} namespace", there != here, there)


def _within(inside: Mapping[str, Any], limits: Limits, *, own_uid: bool) -> Iterator[Layer]:
    uid, status = inside["uid"], inside["status"]
    yield Layer(
        "user", uid not in (0, os.getuid()), f"uid {uid}" + (", of no other process" if own_uid else ", mapped")
    )
    yield Layer("capabilities", {int(status[name], 16) for name in ("CapEff", "CapPrm")} == {0}, status["CapEff"])
    yield Layer("no new privileges", inside["no_new_privileges"] == 1, "set")
    yield Layer("seccomp", status["Seccomp"] == "2" and inside["socket"] != 0, f"socket: error {inside['socket']}")
    yield Layer("root", all(inside["writing"]), " ".join(inside["root"]))
    yield Layer("network", set(inside["interfaces"]) <= {"lo"}, " ".join(inside["interfaces"]))
    yield Layer("processes", len(inside["processes"]) <= 3, f"{len(inside['processes'])} are seen")
    yield Layer("environment", inside["environment"].items() <= {**environment(), "PWD": "/mnt/data"}.items(), "ours")
    wanted = sizes(limits)
    room = all(0 < size <= wanted[path] for path, size in inside["folders"].items())
    yield Layer("disk", room, ", ".join(f"{path} {size // 2**20} MiB" for path, size in inside["folders"].items()))
    held = {"AS": limits.memory_bytes, "CPU": limits.cpu_s, "NPROC": limits.processes, "NOFILE": limits.open_files}
    held |= {"FSIZE": limits.file_bytes, "CORE": 0}
    yield Layer("limits", inside["limits"] == held, ", ".join(f"{name} {most}" for name, most in held.items()))
