"""Each limit of each field, at it and one beyond: those of the official schema, found there, and those of its texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, ValidationError

from tests.contract.official import definitions
from tests.contract.operations import OFFICIAL, bare
from tests.contract.places import Place, places, sample
from toolkit.engine.objects.invalid import refusal
from toolkit.server.routes import ROUTES

BODIES: dict[str, type[BaseModel]] = {
    operation.request["schema"]["$ref"].rpartition("/")[2]: route.body
    for operation in OFFICIAL.values()
    for route in ROUTES
    if operation.request and (route.method, bare(route.path)) == (operation.method, bare(operation.path)) and route.body
}
"""What the engine reads, by the official name of the request."""

NOT_CLEARED = {("ModifyAssistantRequest", "model"), ("ModifyAssistantRequest", "tools")}
"""What cannot be null though it may be left out: there is nothing that it could mean."""

NOTHING = {"type": "null"}
NAMES = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean"}
NAMES |= {"array": "an array", "object": "an object"}


class Case(NamedTuple):
    """A body, and how it is refused: with which code, what as `param`, how the text begins. No code: it is taken."""

    body: Any
    code: str | None = None
    param: str = ""
    text: str = ""


def limits(schema: Any, path: str, make: Any) -> Iterator[Case]:
    """Give what one schema says, at its limits and one beyond."""
    kind = schema.get("type")
    if "maxLength" in schema:
        most = schema["maxLength"]
        yield Case(make("x" * most))
        text = (
            f"Invalid '{path}': string too long. Expected a string with maximum length {most}, but got a string with "
        )
        yield Case(make("x" * (most + 1)), "string_above_max_length", path, f"{text}length {most + 1} instead.")
    if kind == "array" and schema.get("maxItems", 10**9) <= 10_000:
        most, item = schema["maxItems"], sample(schema["items"])
        yield Case(make([item] * most))
        text = f"array too long. Expected an array with maximum length {most}, but got an array with length {most + 1}"
        yield Case(make([item] * (most + 1)), "array_above_max_length", path, f"Invalid '{path}': {text} instead.")
    if kind == "array" and "minItems" in schema:
        text = f"Invalid '{path}': empty array. Expected an array with minimum length {schema['minItems']}, but got an "
        yield Case(make([]), "empty_array", path, text)
    number = "integer" if kind == "integer" else "decimal"
    for bound, step, word, sign in (("maximum", 1, "above max", "<="), ("minimum", -1, "below min", ">=")):
        if bound in schema:
            limit, code = schema[bound], f"{number}_{word.replace(' ', '_')}_value"
            yield Case(make(limit))
            text = (
                f"Invalid '{path}': {number} {word}imum value. Expected a value {sign} {limit}, but got {limit + step}"
            )
            yield Case(make(limit + step), code, path, text)


def types(schema: Any, path: str, make: Any) -> Iterator[Case]:
    """Give values that are right, or wrong, by their type or as none of a list."""
    kind = schema.get("type")
    if "enum" in schema:
        yield from (Case(make(value)) for value in schema["enum"])
        if len(schema["enum"]) > 1:
            yield Case(make("colour"), "invalid_value", path, "Invalid value: 'colour'. Supported values are: '")
    elif isinstance(kind, str) and kind in NAMES:
        value: Any = {} if kind == "array" else []
        got = "an object" if kind == "array" else "an array"
        text = f"Invalid type for '{path}': expected {NAMES[kind]}, but got {got} instead."
        yield Case(make(value), "invalid_type", path, text)


def cases(request: str, place: Place) -> Iterator[Case]:
    """Give all cases of a place."""
    path = place.path
    kinds = [choice for choice in choices(place.schema) if choice != NOTHING]
    for kind in kinds:
        yield from limits(kind, path, place.make)
        if len(kinds) == 1:
            yield from types(kind, path, place.make)
    if NOTHING not in (resolved(choice) for choice in choices(place.schema)):
        yield Case(place.make(None), "invalid_type or missing_required_parameter", path)
    if place.needed and place.without is not None:
        yield Case(place.without, "missing_required_parameter", path, f"Missing required parameter: '{path}'.")
    if place.unknown is not None:
        unknown, body = place.unknown
        yield Case(body, "unknown_parameter", unknown, f"Unknown parameter: '{unknown}'.")


def resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = definitions("requests")[schema["$ref"].rpartition("/")[2]]
    return schema


def choices(schema: Any) -> list[Any]:
    """Give the kinds of values that may be in a place."""
    if isinstance(schema, bool):
        return [NOTHING]
    schema = resolved(schema)
    found = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return [kind for choice in found for kind in choices(choice)] if found and "properties" not in schema else [schema]


def wrong(body: type[BaseModel], case: Case) -> str | None:
    """Say how what comes of a body is not what should."""
    try:
        body.model_validate_json(json.dumps(case.body))
    except ValidationError as error:
        said = refusal(error)
        codes = (case.code or "").split(" or ")
        if said.code in codes and said.param == case.param and said.message.startswith(case.text):
            return None
        return f"{case} is refused: {said.code}, {said.param}: {said.message}"
    return None if case.code is None else f"{case} is taken"


@pytest.mark.parametrize("name", BODIES)
def test_what_the_schema_says(name: str) -> None:
    found = [wrong(BODIES[name], case) for place in places(name) for case in cases(name, place)]
    assert [problem[-600:] for problem in found if problem] == []
