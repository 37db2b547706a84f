"""Attacks that end a session, or are on who listens: the engine and other sessions go on, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.sessions import LIMITS, Desk, each_kind, every_wall, needs_wall, opened
from toolkit.sandbox.sandbox import Ended, Failure, FileChanged, Image, Refusal, Result, Text
from toolkit.sandbox.walls import Walled
from toolkit.sandbox.watch import processes

pytestmark = needs_wall

SHORT = replace(LIMITS, call_s=0.5)
ANSWERS = """
import fcntl, json, os, stat
pipes = [f for f in range(3, 20) if os.path.lexists(f"/proc/self/fd/{f}") and stat.S_ISFIFO(os.fstat(f).st_mode)]
out = next(f for f in pipes if fcntl.fcntl(f, fcntl.F_GETFL) & os.O_WRONLY)
def forge(head, body=b""):
    if isinstance(head, dict):
        head["mark"] = "0011223344556677"
    os.write(out, json.dumps(head).encode() + b"\\n" + body)
"""
"""Finds what answers leave by, as hostile code would."""


def why(desk: Desk, code: str, limits: object = SHORT) -> str:
    """Run code that ends its session; gives why it ended."""
    last = desk.run(code, limits)[-1]  # type: ignore[arg-type]
    assert isinstance(last, Ended)
    assert "next call begins a new one" in last.text
    assert desk.session.ended == last
    return last.why


def are_gone(pids: list[int], within_s: float = 10) -> bool:
    by = time.monotonic() + within_s
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        if time.monotonic() > by:
            return False
        time.sleep(0.02)
    return True


def test_a_loop_without_end_is_stopped_and_variables_stay() -> None:
    with opened() as desk:
        (failure,) = desk.run("x = 1\nwhile True:\n    x += 1", SHORT)
        assert isinstance(failure, Failure)
        assert "ran for longer than it may" in failure.text
        assert int(desk.said("x")) > 1


def test_sleeping_is_stopped_too() -> None:
    with opened() as desk:
        (failure,) = desk.run("import time\ntry:\n    time.sleep(100)\nexcept Exception: pass", SHORT)
        assert isinstance(failure, Failure)
        assert desk.said("1") == "1"


@pytest.mark.parametrize(
    "code",
    [
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "sum(range(10**12))",
    ],
)
def test_who_does_not_stop_is_ended(code: str) -> None:
    with opened() as desk:
        pids = list(processes(desk.session.pid))
        assert len(pids) == 3
        assert why(desk, code) == "time"
        assert desk.session.ended is not None
        assert "more than 0.5 seconds" in desk.session.ended.text
        assert are_gone(pids)


@pytest.mark.parametrize(
    "code",
    [
        "import os; os._exit(3)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.abort()",
    ],
)
def test_a_process_that_dies_is_told_of(code: str) -> None:
    with opened() as desk, opened() as other:
        assert why(desk, f"print('before')\n{code}", LIMITS) == "died"
        assert other.said("6 * 7") == "42"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the other numbering is of x86-64")
@every_wall
def test_calls_as_an_older_machine_makes_them_kill(sandbox: Walled) -> None:
    code = """
import ctypes, mmap
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
page = mmap.mmap(-1, 4096, flags, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # getpid, by int 0x80
print("made", flush=True)
print("ESCAPED", ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""
    with opened(sandbox) as desk:
        text, ended = desk.run(code)
        assert text == Text("made\n")
        assert isinstance(ended, Ended)
        assert ended.why == "died"


@each_kind
def test_memory_of_all_processes_together_is_bounded(sandbox: Walled) -> None:
    limits = replace(LIMITS, memory_bytes=200 * 2**20, disk_bytes=20 * 2**20)
    code = """
import os, time
print("made", flush=True)
for _ in range(8):
    if os.fork() == 0:
        kept = b"x" * (100 * 2**20)
        time.sleep(30)
time.sleep(30)
"""
    with opened(sandbox, limits) as desk:
        text, ended = desk.run(code, limits)
        assert text == Text("made\n")
        assert isinstance(ended, Ended)
        assert ended.why == "memory"


@each_kind
def test_memory_of_the_kernels_is_bounded_too(sandbox: Walled) -> None:
    limits = replace(LIMITS, memory_bytes=200 * 2**20, disk_bytes=20 * 2**20)
    code = """
import os, socket, time
print("made", flush=True)
kept = []
for _ in range(4):
    if os.fork() == 0:
        try:
            while True:
                kept += socket.socketpair()
                for each in kept[-2:]:
                    each.setblocking(False)
                    try:
                        while True:
                            each.send(bytes(60_000))
                    except BlockingIOError:
                        pass
        except OSError:
            time.sleep(30)
time.sleep(30)
"""
    with opened(sandbox, limits) as desk:
        text, ended = desk.run(code, limits)
        assert text == Text("made\n")
        assert isinstance(ended, Ended)
        assert ended.why == "memory"


@each_kind
def test_names_of_files_are_bounded(sandbox: Walled) -> None:
    code = """
made = 0
try:
    while True:
        open(f"/tmp/{made}", "w").close()
        made += 1
except OSError as error:
    print(error.strerror)
"""
    limits = replace(LIMITS, files=2000)
    with opened(sandbox, limits) as desk:
        last = desk.run(code, limits)[-1]
        assert (isinstance(last, Ended) and last.why == "files") or last == Text("No space left on device\n")


@each_kind
def test_what_goes_on_between_calls_is_bounded(sandbox: Walled) -> None:
    limits = replace(LIMITS, idle_cpu_s=1)
    with opened(sandbox, limits) as desk:
        desk.run("import os\nif os.fork() == 0:\n    os.setsid()\n    while True: pass")
        pids = list(processes(desk.session.pid))

        async def wait() -> None:
            async with asyncio.timeout(60):
                while desk.session.ended is None:
                    await asyncio.sleep(0.05)

        desk.do(wait())
        assert why(desk, "1") == "idle"
        assert are_gone(pids)


def test_output_without_end_is_bounded() -> None:
    with opened() as desk:
        found = desk.run("import os\nwhile True: os.write(1, b'x' * 65536)", SHORT)
        text = "".join(each.text for each in found if isinstance(each, Text))
        assert LIMITS.output_bytes < len(text) < LIMITS.output_bytes + 200
        assert "more bytes were printed" in text
        assert desk.said("1") == "1"


def test_output_that_is_no_text_is_shown_as_well_as_it_can_be() -> None:
    with opened() as desk:
        code = r"import os; _ = os.write(1, b'a\xff\x00\xc3'); print('\udc80')"
        assert desk.said(code) == "a\ufffd\x00\ufffd\\udc80\n"
        assert desk.said(r"_ = os.write(1, b'\xc3')") == "\ufffd"


@pytest.mark.parametrize(
    "forged",
    [
        "os.write(out, b'no json\\n')",
        "os.write(out, b'[' * 60000 + b'\\n')",
        "os.write(out, b'x' * 10**6)",
        "forge([])",
        "forge({'kind': 'result', 'call': 2, 'size': 2**62})",
        "forge({'kind': 'result', 'call': 2, 'size': -1})",
        "forge({'kind': 'result', 'call': True, 'size': 1})",
        'os.write(out, b\'{"kind": "x", "call": \' + b\'9\' * 5000 + b\', "size": 0}\\n\')',
    ],
)
def test_who_breaks_the_protocol_is_ended(forged: str) -> None:
    with opened() as desk:
        desk.run(ANSWERS)
        assert why(desk, f"{forged}\nimport time; time.sleep(5)", LIMITS) == "protocol"


def test_answers_that_are_forged_are_of_no_use() -> None:
    with opened() as desk:
        desk.run(ANSWERS)
        found = desk.run(
            "forge({'kind': 'image', 'call': 2, 'size': 3}, b'GIF')\n"
            "forge({'kind': 'changed', 'call': 2, 'size': 0, 'path': 7, 'bytes': 'x'})\n"
            "forge({'kind': 'ready', 'call': 2, 'size': 0, 'landlock': 'x' * 100})\n"
            "forge({'kind': 'no such kind', 'call': 2, 'size': 0})\n"
            "forge({'kind': 'result', 'call': 1, 'size': 5}, b'stale')\n"
            "forge({'kind': 'result', 'call': 3, 'size': 5}, b'early')\n"
        )
        assert found == []
        assert desk.run("forge({'kind': 'done', 'call': 3, 'size': 0})") == []
        assert desk.run("'next'")[-1] == Result("'next'")  # its answer to the forged end is of an earlier call


def test_answers_without_end_are_bounded() -> None:
    with opened() as desk:
        desk.run(ANSWERS)
        found = desk.run("while True: forge({'kind': 'result', 'call': 2, 'size': 1}, b'x')")
        assert len(found) < 1010
        assert isinstance(found[-1], Ended)
        assert found[-1].why == "protocol"


@pytest.mark.parametrize("code", ["os.close(asked)", "os.dup2(0, asked)", "os.close(out)"])
def test_who_takes_requests_away_is_ended(code: str) -> None:
    with opened() as desk:
        desk.run(f"{ANSWERS}\nasked = next(f for f in pipes if not fcntl.fcntl(f, fcntl.F_GETFL) & os.O_ACCMODE)")
        desk.run(code, SHORT)
        assert why(desk, "1") == "died"


FIND_WORD = """
import gc
word = next(each._word for each in gc.get_objects() if type(each).__name__ == "Worker")
"""


def test_marks_that_are_forged_are_of_no_use() -> None:
    with opened() as desk:
        desk.run(FIND_WORD)
        assert why(desk, "import os\nwhile True: os.write(1, (word + bytes(8)) * 1000)", LIMITS) == "protocol"
    with opened() as desk:
        desk.run(FIND_WORD)
        assert why(desk, "os = __import__('os'); os.write(1, word + bytes(8))") == "time"  # it waits for that answer


def test_pictures_are_bounded() -> None:
    code = r"""
class P:
    def _repr_png_(self):
        return b"\x89PNG\r\n\x1a\n"
for _ in range(1000):
    display(P())
"""
    with opened() as desk:
        *pictures, failure = desk.run(code)
        assert pictures == [Image(b"\x89PNG\r\n\x1a\n")] * LIMITS.pictures
        assert isinstance(failure, Failure)
        assert "more than 500 values" in failure.text


@each_kind
def test_nothing_is_left(sandbox: Walled) -> None:
    code = """
import os, signal, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            if number not in (9, 19, 32, 33):
                signal.signal(number, signal.SIG_IGN)
        if os.fork():
            os._exit(0)
        time.sleep(1000)
print("left")
"""
    with opened(sandbox) as desk:
        assert desk.said(code) == "left\n"
        pids = list(processes(desk.session.pid))
        assert len(pids) >= 6
    assert are_gone(pids)


@each_kind
def test_the_end_of_the_engine_is_the_end_of_its_sessions(sandbox: Walled) -> None:
    program = f"""
import asyncio, sys
from toolkit.sandbox.bubblewrap import Bubblewrap, bwrap
from toolkit.sandbox.namespaces import Namespaces
from toolkit.sandbox.root import root
from toolkit.sandbox.sandbox import Limits
from toolkit.sandbox.walls import Walled
from toolkit.sandbox.watch import processes
async def main():
    own = {sandbox.own_uid}
    wall = {"Bubblewrap(bwrap(), own_uid=own)" if sandbox.wall.name == "bubblewrap" else "Namespaces(own_uid=own)"}
    session = await Walled(wall, root(()), own_uid=own).open(Limits())
    code = "import os\\nif os.fork() == 0:\\n  os.setsid()\\nprint(1)\\nwhile True: pass"
    async for each in session.execute(code, Limits()):
        print(*processes(session.pid), flush=True)
asyncio.run(main())
"""
    folder = Path(__file__).parent.parent.parent
    engine = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=folder)
    assert engine.stdout is not None
    pids = [int(pid) for pid in engine.stdout.readline().split()]
    assert len(pids) >= 3
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    engine.stdout.close()
    assert are_gone(pids)


def test_only_files_come_out() -> None:
    code = r"""
import os
os.symlink("/etc/ld.so.cache", "link")
os.symlink("/mnt/data", "folder")
os.makedirs("a/b")
for name in ["a/b/good.csv", "line\nbreak", "-rf", "\u202egnp.exe", "..hidden", "x" * 250, "a\\..\\b", "\udcff"]:
    open(name, "w").write("data")
"""
    with opened() as desk:
        found = [each for each in desk.run(code) if isinstance(each, FileChanged)]
        assert sorted(each.name for each in found) == sorted(
            ["good.csv", "line_break", "-rf", "_gnp.exe", "..hidden", "x" * 200, "a\\..\\b", "?"]
        )
        for each in found:
            assert desk.do(desk.session.read(each.path, 100)) == b"data"
        for path in ("link", "folder", "/etc/ld.so.cache", "../../proc/self/environ", "nothing", "a", "folder/../../x"):
            with pytest.raises(Refusal):
                desk.do(desk.session.read(path, 10**7))


def test_files_are_no_larger_than_is_asked_for() -> None:
    with opened() as desk:
        desk.run("open('a', 'wb').truncate(10**8)")
        with pytest.raises(Refusal, match="larger than 1000"):
            desk.do(desk.session.read("a", 1000))


def test_nothing_is_left_for_the_next_session_or_seen_by_another() -> None:
    code = """
import os
for path in ["/mnt/data/secret", "/tmp/matplotlibrc", "/tmp/sitecustomize.py", "/mnt/data/usercustomize.py",
             "/tmp/.config/matplotlib/matplotlibrc", "/mnt/data/evil.pth", "/mnt/data/json.py", "/dev/shm/x"]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write("print('ESCAPED')")
"""
    look = "import os; [each for d in ('/mnt/data', '/tmp', '/dev/shm') for each in os.listdir(d)]"
    with opened() as first:
        first.run(code)
        with opened() as second:
            assert second.said(look) == "[]"
        assert "secret" in first.said(look)
    with opened() as third:
        assert third.said(look) == "[]"
