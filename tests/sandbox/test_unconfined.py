"""Without a wall: the same session, for who asks for it by name."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.sessions import LIMITS, Desk, opened
from toolkit.sandbox.sandbox import Ended, Failure, FileChanged, Refusal, Result
from toolkit.sandbox.unconfined import Unconfined

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such processes here")


@pytest.fixture
def desk() -> Iterator[Desk]:
    with opened(Unconfined(())) as desk:
        yield desk


def test_it_is_a_session(desk: Desk) -> None:
    assert desk.run("x = 6\nprint(x)")[0] != []
    assert desk.said("x * 7") == "42"
    assert "ModuleNotFoundError" in str(desk.run("import openai"))


def test_mnt_data_is_a_folder_of_its_own(desk: Desk) -> None:
    desk.do(desk.session.put(["in.txt"], b"in"))
    code = "text = open('/mnt/data/in.txt').read()\nopen(f'/mnt/data/{text}.csv', 'w').write('a')"
    assert desk.run(code) == [Result("1"), FileChanged("in.csv", 1)]
    assert desk.do(desk.session.read("in.csv", 10)) == b"a"
    with pytest.raises(Refusal):
        desk.do(desk.session.read("../../etc/hostname", 10**6))
    folder = Path(desk.said("import os; os.getcwd()").strip("'"))
    assert folder.is_dir()
    desk.do(desk.session.aclose())
    assert not folder.exists()


def test_limits_hold(desk: Desk) -> None:
    (failure,) = desk.run("while True: pass", replace(LIMITS, call_s=0.5))
    assert isinstance(failure, Failure)
    assert "MemoryError" in str(desk.run("bytearray(2**33)"))


def test_what_goes_its_own_way_is_ended(desk: Desk) -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    open("pid", "w").write(str(os.getpid()))
    time.sleep(1000)
    os._exit(0)
while not (os.path.exists("pid") and open("pid").read()):
    time.sleep(0.01)
int(open("pid").read())
"""
    pid = int(desk.said(code))
    assert isinstance(desk.run("os._exit(1)")[-1], Ended)
    desk.do(desk.session.aclose())
    by = time.monotonic() + 10
    while runs(pid):
        assert time.monotonic() < by
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()  # whoever takes in orphans may be slow to bury them
    except OSError:
        return False


def test_its_folder_goes_with_it() -> None:
    async def main(sandbox: Unconfined) -> Path:
        session = await sandbox.open(LIMITS)
        (told,) = [each async for each in session.execute("import os; os.getcwd()", LIMITS)]
        await session.aclose()
        assert isinstance(told, Result)
        return Path(told.text.strip("'")).parent

    sandbox = [Unconfined(())]
    folder = asyncio.run(main(sandbox[0]))
    assert folder.is_dir()
    sandbox.clear()
    assert not folder.exists()
