"""Names and time-outs, checked where a tool is defined."""

from __future__ import annotations

from functools import partial

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.checks import checked_name, checked_timeout


def add(left: int) -> int:
    return left


class Once:
    def __call__(self) -> int:
        return 1


def test_a_name_is_the_functions_own_unless_one_is_given() -> None:
    assert checked_name(add, None) == "add"
    assert checked_name(partial(add, 1), None) == "add"
    assert checked_name(Once(), None) == "Once"
    assert checked_name(add, "x" * 64) == "x" * 64


@pytest.mark.parametrize("name", ["two words", "x" * 65, "", "né", "a\n", 5])
def test_a_name_that_cannot_be_says_what_can(name: object) -> None:
    with pytest.raises(DefinitionError, match=r"cannot be a tool's name: use 1 to 64 of A-Z a-z 0-9 _ -"):
        checked_name(add, name)


def test_a_lambda_is_told_how_to_get_a_name() -> None:
    with pytest.raises(DefinitionError, match=r'write tool\(name="..."\)\(lambda ...\)'):
        checked_name(lambda: 1, None)


@pytest.mark.parametrize("timeout_s", [None, 1, 0.5])
def test_a_time_out_is_more_than_nothing(timeout_s: float | None) -> None:
    assert checked_timeout("add", timeout_s) == timeout_s


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf"), "5"])
def test_any_other_is_an_error_that_names_whose_it_is(timeout_s: object) -> None:
    with pytest.raises(DefinitionError, match=r"add: timeout_s=.* must be more than 0 seconds, or None"):
        checked_timeout("add", timeout_s)
