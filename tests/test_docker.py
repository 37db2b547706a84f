"""The image of examples/docker, as far as it can be tried without one: its facts, its files, and its command in a
read-only file system under a user of its own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "docker"
TOOLKIT = str(Path(sys.executable).with_name("toolkit"))
SECRET = re.compile("KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)


def instructions() -> list[tuple[str, str]]:
    """(instruction, its text), lines that go on joined."""
    lines = [line for line in (FOLDER / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split()[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


FACTS = instructions()


def last(name: str) -> str:
    return [text for instruction, text in FACTS if instruction == name][-1]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(last("ENV")))


def health_check() -> list[str]:
    command: list[str] = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    return [sys.executable, *command[1:]]


def test_it_runs_as_a_user_that_has_a_number_and_is_not_root() -> None:
    assert re.fullmatch(r"([1-9]\d+):([1-9]\d+)", last("USER"))
    names = [name for name, _ in FACTS]
    assert "RUN" not in names[names.index("USER") :]
    assert last("STOPSIGNAL") == "SIGTERM"
    assert last("VOLUME") == environment()["TOOLKIT_DATA_DIR"]
    assert last("EXPOSE") == environment()["TOOLKIT_PORT"]


def test_it_holds_no_secrets() -> None:
    assert "ADD" not in [name for name, _ in FACTS]
    for name, text in FACTS:
        if name in ("ENV", "ARG"):
            assert not SECRET.search(text)
    copied = [text.split()[:-1] for name, text in FACTS if name == "COPY" and not text.startswith("--from")]
    let_in = [line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"]
    assert sorted(source for sources in copied for source in sources) == sorted(let_in)


def test_what_is_copied_is_there_and_enough_to_build(tmp_path: Path) -> None:
    for name, text in FACTS:
        if name == "COPY" and not text.startswith("--from"):
            for source in text.split()[:-1]:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, tmp_path / source)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_its_command_and_variables_are_those_of_serve() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["toolkit"]
    command, *options = json.loads(last("CMD"))
    assert command == "serve"
    said = subprocess.run([TOOLKIT, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    for option in options:
        assert not option.startswith("--") or option in said
    for variable in environment():
        if variable.startswith("TOOLKIT_"):
            assert variable in said


def test_without_keys_it_does_not_start() -> None:
    done = subprocess.run([TOOLKIT, *json.loads(last("CMD"))], env=clean(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "toolkit keys create" in done.stderr


def test_the_servers_of_the_compose_file_are_shut_in_alike() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    for line in ("read_only: true", "- /tmp", "- ALL", "- no-new-privileges:true", f"- data:{last('VOLUME')}"):
        assert line in text
    assert "api_keys" in (FOLDER / ".gitignore").read_text().split()
    first, last_port = re.search(r"127\.0\.0\.1:(\d+)-(\d+):(\d+)", text).groups()[:2]  # type: ignore[union-attr]
    assert int(last_port) - int(first) + 1 == int(re.search(r"replicas: (\d)", text)[1])  # type: ignore[index]


SHUT_IN = """
set -e
mount --bind "$1" /mnt
for place in / /dev /dev/shm; do mount -o remount,bind,ro "$place"; done
exec 9<"$HERE"
mount -t tmpfs tmpfs /tmp
case "$HERE" in /tmp/*)  # the checkout itself lies there: show it again
  mkdir -p "$HERE"
  mount --no-canonicalize --bind /proc/self/fd/9 "$HERE"
  mount -o remount,bind,ro "$HERE"
esac
exec 9<&-
shift
for place in / /usr /var/tmp /dev/shm "$HERE"; do
  if touch "$place/probe" 2>/dev/null; then echo "$place can be written" >&2; exit 77; fi
done
exec unshare --user --map-user=10001 --map-group=10001 "$@"
"""
"""A root file system that cannot be written, /mnt for the volume, a fresh /tmp, a user with a number."""


def shut_in(data: Path, *command: str) -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SHUT_IN, "sh", str(data), *command]


def clean(**more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENAI_", "TOOLKIT_", "XDG_", "COVERAGE_"))
    }
    image = {name: value for name, value in environment().items() if name != "PATH"}
    return kept | image | {"TOOLKIT_DATA_DIR": "/mnt", "HOME": "/", "HERE": str(ROOT)} | more


def can_shut_in(data: Path) -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    return subprocess.run(shut_in(data, "true"), env=clean(), capture_output=True, check=False).returncode == 0


@contextmanager
def started(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    command = shut_in(data, TOOLKIT, *json.loads(last("CMD")))
    variables = clean(TOOLKIT_API_KEYS="a-key", TOOLKIT_PORT=str(port))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=variables, cwd="/", text=True, **pipes) as server:  # type: ignore[call-overload]
        try:
            yield server
        finally:
            server.kill()


def test_its_command_in_a_read_only_file_system(tmp_path: Path) -> None:
    """It serves, is found healthy, keeps what it is given on the volume, and ends in order on its stop signal."""
    data = tmp_path / "volume"
    data.mkdir()
    if not can_shut_in(data):
        pytest.skip("user namespaces are not allowed here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ask = clean(TOOLKIT_PORT=str(port))
    assert subprocess.run(health_check(), env=ask, capture_output=True, check=False).returncode != 0
    with started(data, port) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == f"http://0.0.0.0:{port}/v1\n", server.stderr and server.stderr.read()
        deadline = time.monotonic() + 20
        while subprocess.run(health_check(), env=ask, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline
        request = Request(f"http://127.0.0.1:{port}/v1/threads", b"{}", {"Authorization": "Bearer a-key"})
        with urlopen(request, timeout=20) as answer:
            assert answer.status == 200
        server.send_signal(getattr(signal, last("STOPSIGNAL")))
        assert server.wait(30) == 0, server.stderr and server.stderr.read()
    assert (data / "assistants.db").stat().st_size > 0
    # The other commands of the image, on the same volume.
    listed = subprocess.run(
        shut_in(data, TOOLKIT, "runs", "list"), env=clean(), capture_output=True, text=True, check=False
    )
    assert (listed.returncode, listed.stderr) == (0, "")
