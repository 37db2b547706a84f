from __future__ import annotations

import json

import pytest

from toolkit.engine.code.tool import code_of, definition, told, without_fence


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('{"code": "print(1)"}', "print(1)"),
        ('{"input": "print(1)"}', "print(1)"),
        ('{"code": "", "python": "x"}', "x"),
        ('"print(1)"', "print(1)"),
        ('{"code": "if x:\n\tprint(1)"}', "if x:\n\tprint(1)"),
        ("print(1)", "print(1)"),
        ('{"code": "print(1)', None),
        ('{"code": 5}', None),
        ('{"code": "  "}', None),
        ("{}", None),
        ("[1]", None),
        ("", None),
        ("  ", None),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_the_code_of_a_call(arguments: str, code: str | None) -> None:
    assert code_of(arguments) == code


@pytest.mark.parametrize(
    ("code", "bare"),
    [
        ("```python\nx\n```", "x"),
        (" ```\nx\ny\n``` \n", "x\ny"),
        ("```PY\n```", ""),
        ("```python \r\nx```", "x"),
        ("x = '''```python\n```'''", "x = '''```python\n```'''"),
    ],
)
def test_a_fence_around_all_of_it_is_taken_off(code: str, bare: str) -> None:
    assert without_fence(code) == bare


@pytest.mark.parametrize("begin", ["```", "```\n", ""])
def test_code_with_many_blanks_is_read_once(begin: str) -> None:
    code = begin + " " * 500_000 + "x"
    assert without_fence(code) == code


def test_the_model_is_told_which_files_there_are() -> None:
    assert "Files of the user" not in definition("code")["function"]["description"]
    said = definition("run_code", [f"{n}.csv" for n in range(45)])["function"]
    assert said["name"] == "run_code"
    assert "Files of the user there: '0.csv', '1.csv'" in said["description"]
    assert said["description"].endswith("'39.csv', and 5 more.")
    json.dumps(said)


def test_what_the_model_is_told() -> None:
    assert told("a\nb\n", ["[note]"], 100) == "a\nb\n[note]"
    assert told("", ["[note]"], 100) == "[note]"
    assert told("\n", [], 100) == "The code ran, and printed nothing."
    cut = told("a" * 100 + "b" * 100, [], 30)
    assert cut == f"{'a' * 20}\n[... 170 characters are left out here ...]\n{'b' * 10}"
    assert told("a" * 100, [], 2) == "a\n[... 99 characters are left out here ...]\n"
    many = told("a" * 100, [f"[note {number}]" for number in range(100)], 100)
    assert many.splitlines()[3:] == [*(f"[note {number}]" for number in range(6)), "[There is more of this: 94]"]
    assert len(many) < 200
