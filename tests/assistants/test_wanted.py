from __future__ import annotations

from typing import Any

import pytest

from toolkit.assistants.wanted import Wanted, wanted

FUNCTION = {"type": "function", "function": {"name": "f"}}


def asked(**options: Any) -> Wanted:
    return wanted("plan", [FUNCTION], "Be short.", options)  # type: ignore[arg-type]  # wrong ones too


def test_what_is_given_counts_and_none_is_not_given() -> None:
    said = asked(name="Weather", model="m", temperature=0.0, top_p=None, metadata={"a": "b"}, owner="sky")
    assert said == Wanted(
        [FUNCTION], "Be short.", None, "Weather", {"model": "m", "temperature": 0.0}, {"a": "b"}, "sky", False
    )
    assert asked(assistant_id="asst_1", overwrite=True) == Wanted(
        [FUNCTION], "Be short.", "asst_1", None, overwrite=True
    )


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({}, TypeError, r'plan\(\) needs to know which assistant: name="...", or assistant_id='),
        ({"name": None}, TypeError, "which assistant"),
        ({"name": "a", "modle": "m"}, TypeError, r"plan\(\) has no option modle=; its options are assistant_id, desc"),
        ({"name": ""}, ValueError, r"plan\(name=''\): it is empty"),
        ({"assistant_id": ""}, ValueError, "it is empty"),
        ({"name": "a", "owner": "a b"}, ValueError, "use 1 to 40 of"),
        ({"name": "a", "owner": "x" * 41}, ValueError, "use 1 to 40 of"),
        ({"name": "a", "owner": "shop-2"}, ValueError, "no -2 or -3 at the end"),
        ({"name": "a", "metadata": {"toolkit-functions-2": ""}}, ValueError, "is where the fingerprints of functions"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        asked(**options)
