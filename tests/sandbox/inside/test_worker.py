"""What a session does for honest code."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.sandbox.sessions import LIMITS, Desk, needs_wall, opened, with_packages
from toolkit.sandbox.sandbox import Failure, FileChanged, Image, Result, Text

pytestmark = needs_wall


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with opened() as desk:
        yield desk


def test_state_is_kept(desk: Desk) -> None:
    assert desk.run("x = 6") == []
    assert desk.run("x * 7") == [Result("42")]
    (failure,) = desk.run("y = 1\nx / 0")
    assert isinstance(failure, Failure)
    assert failure.text.endswith("ZeroDivisionError: division by zero")
    assert desk.said("y") == "1"


def test_text_comes_in_its_order_from_wherever_it_is_written(desk: Desk) -> None:
    code = """
import os, subprocess, sys
print("one", end="")
print("two", file=sys.stderr)
sys.stdout.flush()
os.write(2, b"three\\n")
subprocess.run([sys.executable, "-c", "print('four')"])
display(5)
print("six", end="")
"seven"
"""
    assert desk.run(code) == [Text("onetwo\nthree\nfour\n"), Result("5"), Text("six"), Result("'seven'")]


def test_letters_are_not_cut(desk: Desk) -> None:
    code = "import os, time\nfor byte in 'ä€🎉'.encode():\n    _ = os.write(1, bytes([byte])); time.sleep(0.005)"
    assert desk.said(code) == "ä€🎉"


def test_nobody_answers_a_question(desk: Desk) -> None:
    (failure,) = desk.run("input('name? ')")[1:]
    assert isinstance(failure, Failure)
    assert "EOFError" in failure.text


def test_leaving_ends_the_call_alone(desk: Desk) -> None:
    assert desk.run("import sys; z = 1; sys.exit()") == []
    (failure,) = desk.run("exit('because')")
    assert isinstance(failure, Failure)
    assert failure.text.endswith("SystemExit: because")
    assert desk.said("z") == "1"


def test_a_fork_that_comes_back_does_not_answer(desk: Desk) -> None:
    assert desk.said("import os\npid = os.fork()\nif pid: _ = os.waitpid(pid, 0)\nif pid: display(pid > 0)") == "True"
    assert desk.said("'one'") == "'one'"


def test_classes_can_be_pickled(desk: Desk) -> None:
    assert desk.said("import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))) is A") == "True"


def test_processes_and_threads_and_loops_work(desk: Desk) -> None:
    code = """
import asyncio, concurrent.futures, multiprocessing
async def main():
    return await asyncio.gather(*(asyncio.to_thread(abs, -n) for n in range(3)))
with concurrent.futures.ThreadPoolExecutor() as threads, multiprocessing.Pool(2) as processes:
    print(asyncio.run(main()), list(threads.map(abs, [-1])), processes.map(abs, [-2]))
"""
    assert desk.said(code) == "[0, 1, 2] [1] [2]\n"


def test_processes_share_memory_that_has_a_name(desk: Desk) -> None:
    code = """
from multiprocessing import Array, Process, shared_memory
def work(array, name):
    array[0] = 7
    other = shared_memory.SharedMemory(name)
    other.buf[0] = 8
    other.close()
array, memory = Array("i", 3), shared_memory.SharedMemory(create=True, size=100)
process = Process(target=work, args=(array, memory.name))
process.start()
process.join()
print(array[0], memory.buf[0])
memory.close()
memory.unlink()
"""
    assert desk.said(code) == "7 8\n"


def test_the_standard_library_is_there(desk: Desk) -> None:
    code = """
import csv, ctypes, datetime, decimal, hashlib, json, lzma, sqlite3, ssl, statistics, tempfile, zipfile, zoneinfo
sqlite3.connect("a.db").execute("create table a (b)").connection.close()
tempfile.TemporaryDirectory().cleanup()
hashlib.sha256(b"a").hexdigest()[:8]
"""
    assert desk.run(code)[0] == Result("'ca978112'")


def test_files_that_are_new_or_have_changed_are_told(desk: Desk) -> None:
    assert desk.run("open('a.txt', 'w').write('one')")[1:] == [FileChanged("a.txt", 3)]
    assert desk.run("open('a.txt').read()") == [Result("'one'")]
    assert desk.run("import os; os.makedirs('d'); open('d/b', 'w').write('two2');") == [FileChanged("d/b", 4)]
    assert desk.run("open('a.txt', 'a').write('more');") == [FileChanged("a.txt", 7)]
    assert desk.run("os.remove('a.txt')") == []
    assert desk.do(desk.session.read("d/b", 100)) == b"two2"


def test_files_are_put_in_under_each_name(desk: Desk) -> None:
    data = bytes(range(256)) * 10_000
    desk.do(desk.session.put(["data.bin", "file-abc"], data))
    assert desk.said("open('data.bin', 'rb').read() == open('/mnt/data/file-abc', 'rb').read()") == "True"
    assert desk.do(desk.session.read("data.bin", len(data))) == data
    (failure,) = desk.run("open('data.bin', 'w')")
    assert isinstance(failure, Failure)
    assert "PermissionError" in failure.text
    desk.do(desk.session.put(["data.bin"], b"another"))
    assert desk.said("open('data.bin').read()") == "'another'"


def test_the_engine_comes_first(desk: Desk) -> None:
    assert desk.said("import os; os.nice(0), open('/proc/self/oom_score_adj').read()") == "(5, '1000\\n')"


def test_time_is_told_of(desk: Desk) -> None:
    (failure,) = desk.run("t = 1\nwhile True: pass", replace(LIMITS, call_s=0.3))
    assert isinstance(failure, Failure)
    assert failure.text.endswith(
        "TimeUp: the code ran for longer than it may, and was stopped; variables are as it left them"
    )
    assert desk.said("t") == "1"


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs the [sandbox] extra")
def test_figures_are_pictures() -> None:
    code = """
import matplotlib.pyplot as plt
plt.plot([1, 3, 2])
print("before")
plt.show()
print("after")
plt.figure()
_ = plt.bar([1, 2], [3, 4])
"""
    with opened(with_packages("matplotlib")) as desk:
        found = desk.run(code)
        assert [type(each) for each in found] == [Text, Image, Text, Image]
        assert all(each.png.startswith(b"\x89PNG\r\n\x1a\n") for each in found if isinstance(each, Image))
        assert found[0] == Text("before\n")
        assert desk.run("plt.get_fignums()") == [Result("[]")]
        shown = desk.run("plt.plot([1]); plt.savefig('chart.png')")
        assert [type(each) for each in shown] == [Image, FileChanged]
        (image,) = desk.run("from PIL import Image; Image.new('RGB', (2, 2))")
        assert isinstance(image, Image)
        (failure,) = desk.run("import openai")
        assert isinstance(failure, Failure)
