"""One cell as a notebook runs it, compared with what plain Python says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from toolkit.sandbox.inside.cells import TimeUp, png_of, run_cell, told


def shown(*cells: str) -> list[Any]:
    """Run cells one after the other; gives the values they show."""
    names: dict[str, Any] = {}
    values: list[Any] = []
    for number, code in enumerate(cells):
        run_cell(code, number, names, values.append)
    return values


def test_the_last_expression_is_shown_unless_it_is_none() -> None:
    assert shown("1 + 1") == [2]
    assert shown("x = 1") == []
    assert shown("None") == []
    assert shown("1\n2") == [2]
    assert shown("") == []
    assert shown("# only a comment") == []
    assert shown("if True:\n    3") == []
    assert shown("'ends quietly';") == []


def test_variables_stay_and_the_last_value_has_a_name() -> None:
    assert shown("x = 20", "def f():\n    return x + 1", "f() * 2", "_ + 1") == [42, 43]


def test_what_ran_before_an_error_stays() -> None:
    names: dict[str, Any] = {}
    with pytest.raises(ZeroDivisionError):
        run_cell("x = 1\n1 / 0", 1, names, print)
    assert names["x"] == 1


def test_an_error_is_told_as_plain_python_tells_it() -> None:
    code = "def outer():\n    return inner()\ndef inner():\n    return {}['key']\nouter()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    with pytest.raises(KeyError) as caught:
        run_cell(code, 7, {}, print)
    lines = told(caught.value).splitlines()
    assert [line for line in lines if line.startswith("  File")] == [
        line.replace('"<string>"', '"<cell 7>"') for line in done.stderr.splitlines() if line.startswith("  File")
    ]
    assert lines[-1] == "KeyError: 'key'"
    assert "    return {}['key']" in lines  # the source is there, though it is in no file


def test_code_that_is_none_is_told_of_with_its_line() -> None:
    with pytest.raises(SyntaxError) as caught:
        run_cell("x = (1,\ny = 2", 3, {}, print)
    assert told(caught.value).startswith('  File "<cell 3>", line 1')
    assert "was never closed" in told(caught.value)


def test_causes_are_told_too() -> None:
    with pytest.raises(RuntimeError) as caught:
        run_cell(
            "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise RuntimeError('outer') from e", 1, {}, print
        )
    text = told(caught.value)
    assert "ZeroDivisionError" in text
    assert "direct cause" in text
    assert "cells.py" not in text


def test_long_errors_are_cut_in_the_middle() -> None:
    text = told(ValueError("x" * 100_000))
    assert len(text) < 21_000
    assert text.startswith("ValueError: xxx")
    assert "\n...\n" in text


def test_an_error_whose_text_raises_is_told_by_its_name() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "Odd" in told(Odd())


def test_time_that_is_up_is_no_exception_of_the_codes() -> None:
    assert not issubclass(TimeUp, Exception)
    assert told(TimeUp("said")) == "TimeUp: said"


def test_pictures_are_those_that_say_so() -> None:
    class Picture:
        def _repr_png_(self) -> bytes:
            return b"png"

    class Odd:
        _repr_png_ = "no function"

    assert png_of(Picture()) == b"png"
    assert png_of(3) is None
    assert png_of(Picture) is None
    with pytest.raises(TypeError):
        png_of(Odd())
