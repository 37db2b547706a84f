from __future__ import annotations

import io
import sys

import pytest

from toolkit.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_written_over_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress()
    progress.say("1 line")
    progress.say("2 lines")  # which is too soon for anybody to read
    progress.end()
    progress.end()
    assert terminal.getvalue() == f"\r{'1 line':<79}\r{'':<79}\r"


def test_long_texts_do_not_break_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    Progress().say("x" * 200)
    assert terminal.getvalue() == "\r" + "x" * 79


def test_nothing_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.say("1 line")
    progress.end()
    assert capsys.readouterr().err == ""
