"""Sessions in containers of Docker or Podman, for machines where no wall of our own stands.

The image is the user's: anything with Python 3.11 or newer will do, and what is installed there is what sessions can
import. What of ours runs inside comes along with the command, so the engine of containers may be in a virtual machine
that sees no file of this one. Nothing is ever pulled.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.contained import Contained, run
from toolkit.sandbox.packages import extra
from toolkit.sandbox.printed import MARK_BYTES
from toolkit.sandbox.root import environment, sizes, told
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.session import WalledSession
from toolkit.sandbox.starting import start

__all__ = ["Containers", "Runner", "contained", "runners"]

_UIDS: Final = range(20_000, 60_000)
"""Where no user of a machine and none of its services is, and what the containers of a plain user have too."""
_GVISOR: Final = "runsc"
_PYTHON: Final = "python3"
_WORKER: Final = "/worker"
_OURS: Final = Path(__file__).resolve().parent.parent
_PERIOD_US: Final = 100_000
_PROCESSORS: Final = 2
_MORE_PROCESSES: Final = 16
"""What the count of a container has over that of a session, whose code is told first."""
_THREADS_OF_GVISOR: Final = 4
"""How many threads gVisor may need for one of the session's; past the count it ends."""
_KERNEL_BYTES: Final = 64 * 2**20
"""What the kernel keeps for a session, and the worker for itself."""
_COVERED: Final = ("/sys", "/dev/pts", "/dev/mqueue")
"""What runners show of the machine, or let be written, and sessions need not have."""

_BEGIN: Final = f"""
import base64, json, os, sys, zlib
said, ours = sys.argv[1:]
sys.argv[:] = [""]
for path, text in json.loads(zlib.decompress(base64.b85decode(ours))).items():
    path = os.path.join({_WORKER!r}, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
sys.path.insert(0, {_WORKER!r})
from toolkit.sandbox.inside.first import begin
begin(said)
"""


class Runner(NamedTuple):
    """A program that runs containers, and by which runtime; its own choice when None."""

    kind: Literal["docker", "podman"]
    program: str
    runtime: str | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.kind} with {self.runtime}" if self.runtime else self.kind


class Containers:
    """A Sandbox whose sessions are containers of one image."""

    own_uid = True
    """Each session is a user of its own: of the container engine's users, whose root need not be the machine's."""

    def __init__(self, runner: Runner, image: str) -> None:
        self.runner, self._image = runner, image

    @property
    def name(self) -> str:
        """What holds the sessions."""
        return self.runner.name

    @property
    def own_kernel(self) -> bool:
        """Whether the runtime is a kernel of its own, as gVisor's is."""
        return self.runner.runtime == _GVISOR

    async def open(self, limits: Limits) -> WalledSession:
        """Start a session."""
        name = f"toolkit-sandbox-{secrets.token_hex(12)}"
        word = secrets.token_bytes(MARK_BYTES)
        around = Contained(self.runner.program, name)
        command = self.command(name, word, limits, _UIDS.start + secrets.randbelow(len(_UIDS)))
        try:
            return await start(command, word, limits, environment=None, look=around.usage, leave=around.remove)
        except OSError as error:
            raise SandboxUnavailable(self._told(str(error))) from error

    def command(self, name: str, word: bytes, limits: Limits, uid: int) -> Sequence[str]:
        """Write the command that runs a session in a container of a name."""
        said = told(word, limits, environment=_environment())
        program, runtime = self.runner.program, self.runner.runtime
        return (
            *(program, "run", "--rm", "--interactive", "--pull=never", "--name", name, "--log-driver=none"),
            *(("--runtime", runtime) if runtime else ()),
            *_held(self.runner, limits, uid),
            *("--entrypoint", _PYTHON, self._image, "-I", "-B", "-c", _BEGIN, said, _ours()),
        )

    def _told(self, error: str) -> str:
        if re.search(r"no such image|image not known|unable to find image", error, re.IGNORECASE):
            return f"{self.name} has no image {self._image!r} here, and none is fetched. To make it: {self._making()}"
        if re.search(rf"{_PYTHON}.*(not found|no such file)", error, re.IGNORECASE | re.DOTALL):
            return f"The image {self._image!r} has no {_PYTHON}. To make one that has: {self._making()}"
        return f"A session could not be started by {self.name} in {self._image!r}: {error}"

    def _making(self) -> str:
        lines = rf"FROM python:3.13-slim\nRUN pip install --no-cache-dir {' '.join(extra())}\n"
        return f"printf '{lines}' | {self.runner.kind} build -t {self._image} -"


def runners() -> Iterator[Runner]:
    """Give what may run containers here, the strongest first: gVisor (`runsc`), which is a kernel of its own."""
    for kind in ("docker", "podman"):
        program = shutil.which(kind)
        if program is not None:
            yield Runner(kind, program, _GVISOR)
            yield Runner(kind, program)


async def contained(image: str) -> Containers:
    """Give containers of an image, by the first engine that runs them. Raises SandboxUnavailable."""
    said: list[str] = []
    for runner in runners():
        if runner.runtime is not None and not await _has(runner):
            continue
        sandbox = Containers(runner, image)
        try:
            session = await sandbox.open(Limits())
        except SandboxUnavailable as error:
            said.append(str(error))
        else:
            await session.aclose()
            return sandbox
    raise SandboxUnavailable("\n".join(said) or "For code in containers, install Docker or Podman: neither is here.")


async def _has(runner: Runner) -> bool:
    """Say whether a runtime is there; who runs the machine has put it there."""
    if runner.kind == "podman":
        return shutil.which(runner.runtime or "") is not None
    runtimes = await run(runner.program, "info", "--format", "{{json .Runtimes}}")
    try:
        return runner.runtime in json.loads(runtimes)
    except (ValueError, TypeError):
        return False


def _held(runner: Runner, limits: Limits, uid: int) -> Iterator[str]:
    """Write what a container is held by."""
    yield from ("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
    yield from (f"--user={uid}:{uid}", "--hostname=sandbox", "--ipc=private", "--cgroupns=private", "--workdir=/")
    memory = limits.memory_bytes + limits.disk_bytes + _KERNEL_BYTES
    yield from (f"--memory={memory}", f"--memory-swap={memory}", f"--cpu-period={_PERIOD_US}")
    pids = limits.processes * (_THREADS_OF_GVISOR if runner.runtime == _GVISOR else 1) + _MORE_PROCESSES
    yield from (f"--cpu-quota={_PROCESSORS * _PERIOD_US}", f"--pids-limit={pids}")
    most = {"nofile": limits.open_files, "nproc": limits.processes, "fsize": limits.file_bytes, "cpu": limits.cpu_s}
    most["sigpending"] = limits.open_files
    for name, value in (most | {"core": 0, "memlock": 0, "msgqueue": 0}).items():
        yield f"--ulimit={name}={value}:{value}"
    names = f",nr_inodes={limits.files}" if runner.kind == "docker" else ""  # Podman does not know it
    for folder, size in sizes(limits).items():
        yield f"--tmpfs={folder}:rw,nosuid,nodev,noexec,size={size},mode=1777{names}"
    yield f"--tmpfs={_WORKER}:rw,nosuid,nodev,noexec,size=1m,mode=1777"  # the inner layers make it read-only
    for folder in _COVERED:
        yield f"--tmpfs={folder}:ro,nosuid,nodev,noexec,size=4k,mode=0555"


def _environment() -> Mapping[str, str]:
    """Give the environment of a session; where Python and its packages are, the image knows."""
    return {name: value for name, value in environment().items() if not name.endswith("PATH")}


@cache
def _ours() -> str:
    """Pack what of ours runs inside."""
    files = [path for folder in ("kernel", "sandbox/inside") for path in sorted((_OURS / folder).glob("*.py"))]
    texts = {f"toolkit/{path.relative_to(_OURS).as_posix()}": path.read_text(encoding="utf-8") for path in files}
    return base64.b85encode(zlib.compress(json.dumps(texts).encode(), 9)).decode()
