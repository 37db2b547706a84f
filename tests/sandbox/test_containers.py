"""What engines of containers are told. That it holds is shown in tests/security, where one runs."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from pathlib import Path

import pytest

from tests.sandbox.sessions import LIMITS
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.containers import Containers, Runner, contained

WORD = bytes(16)


def command(runner: Runner) -> list[str]:
    return list(Containers(runner, "image").command("a-name", WORD, LIMITS, 20_001))


def test_it_is_held_by_everything_there_is() -> None:
    said = command(Runner("docker", "/usr/bin/docker"))
    assert said[:5] == ["/usr/bin/docker", "run", "--rm", "--interactive", "--pull=never"]
    memory = LIMITS.memory_bytes + LIMITS.disk_bytes + 64 * 2**20
    assert {
        *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=private"),
        *("--user=20001:20001", "--log-driver=none", f"--memory={memory}", f"--memory-swap={memory}"),
        *("--pids-limit=80", "--cpu-quota=200000", "--ulimit=nofile=256:256", "--ulimit=nproc=64:64"),
        *("--tmpfs=/mnt/data:rw,nosuid,nodev,noexec,size=536870912,mode=1777,nr_inodes=20000",),
    } <= set(said)
    for never in ("--privileged", "--volume", "-v", "--mount", "--env", "--device", "--cap-add"):
        assert not any(argument == never or argument.startswith(f"{never}=") for argument in said)
    at = said.index("image")
    assert said[at - 2 : at] == ["--entrypoint", "python3"]


def test_podman_is_told_what_it_knows() -> None:
    said = command(Runner("podman", "podman"))
    assert not any("nr_inodes" in argument for argument in said)


def test_gvisor_is_asked_for_and_has_threads_of_its_own() -> None:
    said = command(Runner("docker", "docker", "runsc"))
    assert said[said.index("--runtime") + 1] == "runsc"
    assert "--pids-limit=272" in said


def test_what_of_ours_runs_inside_comes_along() -> None:
    *_, told, ours = command(Runner("docker", "docker"))
    files = json.loads(zlib.decompress(base64.b85decode(ours)))
    assert {"toolkit/kernel/calls.py", "toolkit/sandbox/inside/first.py"} <= set(files)
    assert {Path(name).parts[1] for name in files} == {"kernel", "sandbox"}
    assert "PATH" not in json.loads(told)["environment"]
    assert len(ours) < 100_000  # what the kernel takes as one argument is 128 KiB


class Told(Containers):
    def said(self, error: str) -> str:
        return self._told(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("docker: Error response from daemon: No such image: image:latest.", "has no image 'image' here"),
        ("Error: image: image not known", "has no image 'image' here"),
        ('exec: "python3": executable file not found in $PATH: unknown', "has no python3"),
        ("cannot connect", "by docker in 'image': cannot connect"),
    ],
)
def test_errors_say_what_to_do(error: str, text: str) -> None:
    said = Told(Runner("docker", "docker"), "image").said(error)
    assert text in said
    assert ("| docker build -t image -" in said) == ("cannot" not in error)


def test_without_an_engine_none_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="install Docker or Podman"):
        asyncio.run(contained("image"))


def test_an_engine_that_does_not_answer_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="Cannot connect to the Docker daemon"):
        asyncio.run(contained("image"))
