from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.arguments import Arguments
from toolkit.tools.signature import Parameter


def of(**kinds: Any) -> Arguments:
    return Arguments("function", tuple(Parameter(name, "named", kind) for name, kind in kinds.items()), {"a": "Of a."})


def test_both_forms_and_a_reader_of_each() -> None:
    arguments = of(a=int, b=dict[str, int])
    assert arguments.plain["properties"]["a"] == {"type": "integer", "description": "Of a."}
    assert arguments.strict is not None
    assert arguments.not_strict_because is None
    assert arguments.binder(strict_form=True)('{"a": 1, "b": [{"key": "k", "value": 2}]}') == (
        (),
        {"a": 1, "b": {"k": 2}},
    )
    assert arguments.binder(strict_form=False)('{"a": 1, "b": {"k": 2}}') == ((), {"a": 1, "b": {"k": 2}})


def test_rules_of_both_forms_are_listed_once() -> None:
    assert of(a=set[int], b=complex).unsayable == ("b: a complex number, such as 1+2j", "a: unique items")
    assert of(a=Any, b=complex).unsayable == ("b: a complex number, such as 1+2j",)


def test_the_reason_names_the_parameter_its_type_and_the_place() -> None:
    reason = of(a=int, b=list[dict[str, Any]]).not_strict_because
    assert reason == (
        "`b: list[dict[str, typing.Any]]`: b[] is open to any members; write what they hold, such as `dict[str, int]`, "
        "or a model"
    )


def test_a_limit_concerns_no_one_parameter() -> None:
    assert str(of(**{f"p{each}": int for each in range(5_001)}).not_strict_because).startswith("5001 properties")


def test_mistakes_name_the_function() -> None:
    with pytest.raises(DefinitionError, match=r"^function: parameter `b`"):
        of(a=int, b=range).plain
