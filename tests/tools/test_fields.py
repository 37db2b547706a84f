from __future__ import annotations

import math
from typing import Annotated, Any

import pytest
from annotated_types import Ge
from pydantic import AliasChoices, AliasPath, BaseModel, Field
from typing_extensions import Doc, TypeAliasType

from toolkit.tools.fields import field
from toolkit.tools.signature import ABSENT, Parameter


class Model(BaseModel):
    a: int = 1


def required(annotation: Any, said: str | None = None) -> Any:
    return field(Parameter("x", "named", annotation), said)


def optional(annotation: Any, default: Any) -> Any:
    return field(Parameter("x", "named", annotation, default, False), None)


def test_a_bare_type_stays_as_it_is() -> None:
    found = required(int)
    assert (found.type, found.key, found.default, found.fill, dict(found.annotations)) == (int, None, ABSENT, None, {})
    assert found.required


def test_constraints_stay_with_the_type_and_texts_leave_it() -> None:
    found = required(Annotated[int, "text", Field(ge=1, description="d", title="t", examples=[2], deprecated=True)])
    assert found.type == Annotated[int, Ge(1)]
    assert found.annotations == {"description": "d", "title": "t", "examples": [2], "deprecated": True}


def test_extra_annotations_are_carried_over() -> None:
    assert required(Annotated[int, Field(json_schema_extra={"x-unit": "m"})]).annotations == {"x-unit": "m"}


def test_a_discriminator_stays_with_the_type() -> None:
    found = required(Annotated[Model, Field(discriminator="kind", alias="y")])
    assert found.type.__metadata__[0].discriminator == "kind"
    assert found.type.__metadata__[0].alias is None


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "said"),
        (Annotated[int, "text"], "text"),
        (Annotated[int, Doc("doc")], "doc"),
        (Annotated[int, " text ", Doc("doc")], "text"),
        (Annotated[int, "text", Field(description="field")], "field"),
        (Annotated[int, "text"] | None, "text"),
        (Annotated[Annotated[int, "inner"] | None, Ge(1)], "inner"),
        (TypeAliasType("Alias", Annotated[int, "alias"]), "alias"),
        (int | None, "said"),
    ],
)
def test_text_beside_the_type_comes_before_the_docstring(annotation: Any, text: str) -> None:
    assert required(annotation, "said").annotations == {"description": text}


@pytest.mark.parametrize(
    ("alias", "key"),
    [
        (Field(alias="y"), "y"),
        (Field(validation_alias="y"), "y"),
        (Field(validation_alias=AliasPath("y", 0)), [["y", 0]]),
        (Field(validation_alias=AliasChoices("y", "z")), [["y"], ["z"]]),
    ],
)
def test_aliases(alias: Any, key: Any) -> None:
    assert required(Annotated[int, alias]).key == key


@pytest.mark.parametrize(
    ("default", "said"),
    [
        (1, {"default": 1}),
        (None, {"default": None}),
        (Model(), {"default": {"a": 1}}),
        (math.inf, {}),
        (object(), {}),
        ("\ud800", {}),
    ],
)
def test_a_default_is_said_where_json_can(default: Any, said: dict[str, Any]) -> None:
    found = optional(int, default)
    assert found.json_default() == said
    assert found.fill is None
    assert not found.required


def test_a_field_with_a_default_fills_it_in() -> None:
    for found in (required(Annotated[int, Field(default=3)]), optional(int, Field(3)), optional(int, Field(default=3))):
        assert not found.required
        assert found.fill({}) == 3
        assert found.json_default() == {"default": 3}


def test_a_factory_is_called_for_every_call() -> None:
    found = optional(list[int], Field(default_factory=list))
    assert found.fill({}) == []
    assert found.fill({}) is not found.fill({})
    assert found.json_default() == {}
    assert optional(int, Field(default_factory=lambda others: others["a"] + 1)).fill({"a": 1}) == 2


def test_a_field_without_default_is_required() -> None:
    assert optional(int, Field(description="d")).required
    assert not field(Parameter("x", "named", Annotated[int, Field()], 3, False), None).required
