"""What a session sees of this machine: Python, its standard library, the libraries they need, and given packages.

Everything is read-only and under neutral names; no folder of the machine is there as a whole but the standard library,
whose site-packages is left empty.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Final

from toolkit.sandbox.packages import Part
from toolkit.sandbox.sandbox import Limits

__all__ = ["DEVICES", "PYTHON", "WRITABLE", "Bind", "Root", "environment", "root", "sizes", "told", "worker"]

PREFIX: Final = "/python"
PYTHON: Final = f"{PREFIX}/bin/python"
_PACKAGES: Final = "/packages"
_WORKER: Final = "/worker"
_ZONES: Final = "/usr/share/zoneinfo"
_CACHE: Final = "/etc/ld.so.cache"
_HIDDEN: Final = """
cmdline config.gz diskstats interrupts kallsyms kcore key-users keys kmsg latency_stats locks modules partitions
sched_debug swaps timer_list
"""
_EMPTY: Final = ("driver", "fs", "pressure")
"""Files and folders in /proc that are of the machine, and not of the processes that a session may see."""
_PROBE_S: Final = 60.0
_SHARED_MEMORY: Final = 64 * 2**20

DEVICES: Final = ("null", "full", "random", "urandom")
"""Not /dev/zero: what is shared of it is memory that nobody sees who has."""
WRITABLE: Final = ("/dev/shm", "/tmp", "/mnt/data")  # noqa: S108 - the sandbox's own

_PROBE: Final = """
import ctypes, importlib, json, os, sys, warnings
warnings.simplefilter("ignore")
for folder in sys.path:
    if folder.endswith("lib-dynload"):
        for name in sorted(os.listdir(folder)):
            if not name.startswith(("_test", "_xx", "xx", "_tkinter", "_ctypes_test")):
                try:
                    importlib.import_module(name.split(".")[0])
                except ImportError:
                    pass
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name)
    except OSError:
        pass
found = []
class Info(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t, ctypes.c_void_p)
def tell(info, size, data):
    found.append(os.fsdecode(info.contents.name or b""))
    return 0
ctypes.CDLL(None).dl_iterate_phdr(tell, None)
print(json.dumps({"libraries": found, "dynload": [f for f in sys.path if f.endswith("lib-dynload")]}))
"""
"""Loads all that the standard library is made of, and asks the loader what it took, and by which names."""

_OF_WHEELS: Final = (
    *("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
    *("libresolv.so.2", "libatomic.so.1", "libz.so.1", "libexpat.so.1", "libnss_files.so.2"),
)
"""What packages that were built elsewhere may count on (the `manylinux` policies)."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Something of this machine, and where the session sees it."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Root:
    """All that a session sees; `empty` are folders that are there with nothing in them, `hidden` files with nothing."""

    binds: Sequence[Bind]
    empty: Sequence[str]
    hidden: Sequence[str] = ()

    @property
    def folders(self) -> Sequence[str]:
        """The folders that lead to what is seen, from the outermost on."""
        leading = {str(folder) for bind in self.binds for folder in PurePosixPath(bind.target).parents} - {"/"}
        return sorted({*leading, "/mnt"})


def root(parts: Iterable[Part]) -> Root:
    """Look at this Python, and give what a session sees that may import some parts of packages."""
    standard = Path(os.__file__).resolve().parent
    at = f"{PREFIX}/lib/{standard.name}"
    python = os.path.realpath(sys.executable)
    told = _probed(python)
    binds = [
        Bind(python, PYTHON),
        Bind(str(standard), at),
        *_libraries(told["libraries"], Path(sys.base_prefix).resolve(), standard),
        *(Bind(path, path) for path in (_CACHE, _ZONES) if os.path.exists(path)),
        *(Bind(str(part.path), f"{_PACKAGES}/{part.name}") for part in parts),
        *_ours(),
    ]
    for folder in told["dynload"]:
        if not Path(folder).resolve().is_relative_to(standard):
            binds.append(Bind(folder, f"{at}/lib-dynload"))
    empty = [f"{at}/{name}" for name in ("site-packages", "dist-packages") if (standard / name).is_dir()]
    empty += filter(os.path.isdir, (f"/proc/{name}" for name in _EMPTY))
    hidden = filter(os.path.exists, (f"/proc/{name}" for name in _HIDDEN.split()))
    return Root(tuple(binds), tuple(empty), tuple(hidden))


@cache
def _probed(python: str) -> Mapping[str, Any]:
    """Look at a Python from inside, once: it takes a fifth of a second, and stays the same."""
    command = [python, "-I", "-S", "-c", _PROBE, *_OF_WHEELS]
    done = subprocess.run(command, capture_output=True, check=True, timeout=_PROBE_S, env={})  # noqa: S603 - ourselves
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


def sizes(limits: Limits) -> Mapping[str, int]:
    """Give the folders that a session may write in, and how much."""
    shared_memory, temporary, data = WRITABLE
    most = limits.disk_bytes
    return {shared_memory: min(_SHARED_MEMORY, most), temporary: most // 4, data: most}


def environment() -> Mapping[str, str]:
    """Give the environment of a session: nothing of ours."""
    return {
        "HOME": "/tmp",  # noqa: S108 - the sandbox's own
        "TMPDIR": "/tmp",  # noqa: S108
        "PATH": f"{PREFIX}/bin",
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": f"{PREFIX}/lib",
        "PYTHONPATH": _PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://toolkit.sandbox.inside.figures",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
    }


def told(word: bytes, limits: Limits, **more: Any) -> str:
    """Write what the worker is told: the session's word and limits, and what depends on the wall."""
    said = {
        "word": word.hex(),
        "memory_bytes": limits.memory_bytes,
        "cpu_s": limits.cpu_s,
        "processes": limits.processes,
        "open_files": limits.open_files,
        "file_bytes": limits.file_bytes,
    }
    return json.dumps(said | more)


def worker(said: str) -> Sequence[str]:
    """Give the command that serves a session, with what its `confine` is told."""
    start = (
        f"import sys; sys.path[:0] = [{_WORKER!r}]; from toolkit.sandbox.inside.worker import main; "
        f"sys.path.remove({_WORKER!r}); sys.path += [{_PACKAGES!r}, {_WORKER!r}]; "
        "said = sys.argv.pop(); sys.argv[:] = ['']; main(said)"
    )
    return (PYTHON, "-I", "-B", "-c", start, said)


def _libraries(names: Iterable[str], prefix: Path, standard: Path) -> Iterator[Bind]:
    """Give each library under the name that the loader looks for; those beside Python go beside it."""
    for name in dict.fromkeys(names):
        if not os.path.isabs(name) or not os.path.exists(name):
            continue  # the program itself, and what is in no file
        path = Path(name)
        source = path.resolve()
        if source.is_relative_to(standard) or path.resolve().is_relative_to(standard):
            continue
        beside = prefix != Path("/usr") and source.is_relative_to(prefix)
        yield Bind(str(source), f"{PREFIX}/lib/{path.name}" if beside else str(path))


def _ours() -> Iterator[Bind]:
    """Give what of ours runs there."""
    here = Path(__file__).resolve().parent
    yield Bind(str(here / "inside"), f"{_WORKER}/toolkit/sandbox/inside")
    yield Bind(str(here.parent / "kernel"), f"{_WORKER}/toolkit/kernel")
