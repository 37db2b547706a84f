from __future__ import annotations

import os
import pty
import subprocess
import sys

import httpx2
import openai
import pytest

from toolkit.cli.mistakes import Mistake, guarded
from toolkit.errors import EngineError, RunFailed

REQUEST = httpx2.Request("GET", "http://a/v1/models")


def refused(status: int, text: str) -> openai.APIStatusError:
    kind = openai.AuthenticationError if status == 401 else openai.BadRequestError
    return kind(text, response=httpx2.Response(status, request=REQUEST), body=None)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Mistake("Write it so."), 2, "Write it so.\n"),
        (EngineError("The store is full."), 2, "The store is full.\n"),
        (RunFailed("The run failed (server_error): no", code="server_error"), 1, "The run failed (server_error): no\n"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
        (
            refused(401, "Error code: 401 - Bad key."),
            1,
            "The server refused the key: Bad key. Give it with --url-key, or set TOOLKIT_URL_KEY.\n",
        ),
        (refused(400, "no such field"), 1, "The server refused (400): no such field\n"),
        (refused(400, "Error code: 400 - no such field"), 1, "The server refused (400): no such field\n"),
        (
            openai.APIConnectionError(request=REQUEST),
            1,
            "No server answers at http://a/v1/models. Is it running? Start one with: toolkit serve\n",
        ),
    ],
)
def test_each_is_told_in_short(error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        raise error

    assert guarded(command) == code
    assert capsys.readouterr().err == said


def test_success() -> None:
    assert [guarded(lambda: 0), guarded(lambda: 1)] == [0, 1]


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)


def test_a_terminal_gets_lines_broken_between_words() -> None:
    main, other = pty.openpty()
    program = f"""
from toolkit.cli.mistakes import Mistake, guarded
def wrong(): raise Mistake("{"a" * 30} {"b" * 15}\\nshort")
guarded(wrong)
"""
    subprocess.run([sys.executable, "-c", program], stderr=other, env=os.environ | {"COLUMNS": "40"}, check=True)
    os.close(other)
    assert os.read(main, 1000).decode().splitlines() == ["a" * 30, "b" * 15, "short"]
    os.close(main)
