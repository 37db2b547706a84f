from __future__ import annotations

from collections import OrderedDict

import pytest
from pydantic import BaseModel, Field

from toolkit.runs.hosts.asked import given, plain


class Message(BaseModel):
    role: str
    kind: str = Field("text", alias="type")
    name: str | None = None


def test_values_are_as_json_has_them() -> None:
    said = ({"role": "user"}, Message(role="assistant", type="x"), OrderedDict(a=1))  # type: ignore[call-arg] - models take more than they name
    assert plain("x", iter(said)) == [{"role": "user"}, {"role": "assistant", "type": "x"}, {"a": 1}]


@pytest.mark.parametrize("value", [object(), float("nan"), {"a": {1j}}])
def test_what_has_no_json_form(value: object) -> None:
    with pytest.raises(TypeError, match="here"):
        plain("here", value)


def test_options() -> None:
    known = ("a", "b", "extra_body")
    assert given("Chat", {"a": 1, "b": None, "extra_body": {"c": 2}}, known) == {"a": 1, "c": 2}
    with pytest.raises(TypeError, match=r"Chat\(\) has no option d=; its options are a, b, extra_body"):
        given("Chat", {"d": 1}, known)
