"""Word files of before 2007, read by a program that may do nothing else."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.engine.search import documents
from toolkit.engine.search import old_word
from toolkit.engine.search.old_word import is_old_office, read
from toolkit.engine.search.reading import Unreadable
from toolkit.kernel.calls import machine
from toolkit.kernel.landlock import abi

LETTER = documents.doc("The caf\u00e9 opens at nine.\rClosed on Mondays.\r")

walled = pytest.mark.skipif(machine() is None or not abi(), reason="this kernel has no Landlock")
with_catdoc = pytest.mark.skipif(shutil.which("catdoc") is None, reason="catdoc is not installed")


def refused(data: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as error:
        asyncio.run(read(data))
    return error.value.code, str(error.value)


def test_they_are_told_by_their_first_bytes() -> None:
    assert is_old_office(LETTER)
    assert not is_old_office(documents.docx())
    assert not is_old_office(b"")


@walled
@with_catdoc
def test_a_letter_is_read() -> None:
    assert asyncio.run(read(LETTER)).value.split("\n")[:2] == ["The caf\u00e9 opens at nine.", "Closed on Mondays."]


def test_what_is_no_word_file() -> None:
    assert refused(documents.doc("x", stream="Workbook"))[0] == "unsupported_file"
    assert refused(documents.doc("x", stream="EncryptedPackage")) == ("invalid_file", "The document needs a password.")


def test_without_a_program_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, said = refused(LETTER)
    assert code == "unsupported_file"
    assert "Install catdoc or antiword" in said


@walled
@with_catdoc
@pytest.mark.parametrize("cut", [100, 600, 1100, 3000])
def test_half_a_letter_ends_one_way_or_the_other(cut: int) -> None:
    try:
        asyncio.run(read(LETTER[:cut] + b"WordDocument".decode().encode("utf-16-le")))
    except Unreadable as error:
        assert error.code == "invalid_file"


def instead(monkeypatch: pytest.MonkeyPatch, program: str, *arguments: str) -> None:
    """Have another program read it."""
    monkeypatch.setattr(shutil, "which", lambda name: program if name == "catdoc" else None)
    monkeypatch.setitem(old_word._PROGRAMS, "catdoc", arguments)


@walled
def test_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "/usr/bin/python3", "-I", "-S", "-c", "while True: pass")
    monkeypatch.setattr(old_word, "_WALL_S", 1.0)
    assert refused(LETTER) == ("invalid_file", "Reading the file takes more than 1 seconds.")


@walled
def test_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "/usr/bin/yes")
    assert refused(LETTER) == ("invalid_file", "The file has too much text.")


@walled
@pytest.mark.parametrize(
    "attempt",
    [
        "open('{secret}').read()",
        "open('/etc/passwd').read()",
        "open('{folder}/new', 'w')",
        "__import__('socket').create_connection(('127.0.0.1', {port}))",
        "__import__('socket').socket(__import__('socket').AF_UNIX)",
        "__import__('os').fork()",
        "__import__('os').kill({parent}, 0)",
        "bytearray(2**30)",
        "__import__('os').listdir('{folder}')",
    ],
)
def test_what_a_hostile_letter_would_reach(attempt: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        places = {"secret": tmp_path / "secret", "folder": tmp_path, "port": port, "parent": os.getpid()}
        code = f"print('before')\ntry:\n    {attempt.format(**places)}\nexcept BaseException as error:\n"
        code += "    print('refused', type(error).__name__)\nelse:\n    print('done')"
        python = os.path.realpath("/usr/bin/python3")
        command = [sys.executable, "-m", "toolkit.engine.search.old_word", python, "-I", "-S", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.stdout.startswith("before\nrefused "), (done.stdout, done.stderr)
    assert not (tmp_path / "new").exists()
