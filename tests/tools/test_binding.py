from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, JsonValue

from tests.tools.conftest import arguments_of
from toolkit.errors import ArgumentsInvalid


class Point(BaseModel):
    a: int
    b: float = 1.0


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


def flat(x: int, y: str = "y") -> None: ...
def number(x: float) -> None: ...
def nested(at: Point, text: str) -> None: ...
def many(points: list[Point]) -> None: ...
def anything(x: JsonValue) -> None: ...
def open_mapping(x: dict) -> None: ...  # type: ignore[type-arg]
def open_model(x: Open) -> None: ...
def mapping(x: dict[str, int]) -> None: ...


REPEATED = [
    (flat, '{"x": 1, "x": 2}'),
    (flat, '{"x": 1, "y": "\\":", "x": 2}'),
    (nested, '{"at": {"a": 1, "a": 2}, "text": ""}'),
    (nested, '{"at": {"a": 1, "b": 1, "b": 2}, "text": ""}'),
    (nested, '{"text": "", "at": {"a": 1, "unknown": 3, "unknown": 4}}'),
    (many, '{"points": [{"a": 1}, {"a": 1, "a": 2}]}'),
    (anything, '{"x": {"q": [{"z": 1, "z": 2}]}}'),
]


@pytest.mark.parametrize("strict_form", [True, False])
@pytest.mark.parametrize(("function", "text"), REPEATED)
def test_repeated_names_are_told_at_any_depth(function: Any, text: str, strict_form: bool) -> None:
    with pytest.raises(ArgumentsInvalid, match="is given twice in one object"):
        arguments_of(function).binder(strict_form=strict_form)(text)


@pytest.mark.parametrize("strict_form", [True, False])
@pytest.mark.parametrize(
    ("function", "given"),
    [
        (flat, {"x": 1, "y": '":":"'}),
        (flat, {"x": 1, "y": "NaN Infinity null"}),
        (nested, {"at": {"a": 1, "b": 2.0}, "text": "a: b"}),
        (many, {"points": [{"a": 1, "b": 1.0}, {"a": 1, "b": 1.0}]}),
        (anything, {"x": {"a": [1, None, {"NaN": "NaN"}]}}),
    ],
    ids=lambda each: str(each)[:40] if isinstance(each, dict) else each.__name__,
)
def test_looking_again_changes_nothing(function: Any, given: dict[str, Any], strict_form: bool) -> None:
    _, values = arguments_of(function).binder(strict_form=strict_form)(json.dumps(given))
    assert {key: _plain(value) for key, value in values.items()} == given


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.model_dump() if isinstance(value, BaseModel) else value


def test_a_number_longer_than_python_reads_comes_through_or_is_told() -> None:
    text = '{"x": {"a": 1' + "0" * 5000 + "}}"
    try:
        assert arguments_of(anything).binder(strict_form=False)(text) == ((), {"x": {"a": 10**5000}})
    except ArgumentsInvalid as error:
        assert str(error)


@pytest.mark.parametrize("strict_form", [True, False])
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    "function", [number, anything, nested, open_mapping, open_model], ids=lambda each: each.__name__
)
def test_what_is_no_number_in_json_is_told(function: Any, word: str, strict_form: bool) -> None:
    inside = f'{{"n": {word}}}' if function in (open_mapping, open_model) else word
    text = f'{{"at": {{"a": 1, "b": {word}}}, "text": ""}}' if function is nested else f'{{"x": {inside}}}'
    with pytest.raises(ArgumentsInvalid, match=word.strip("-")):
        arguments_of(function).binder(strict_form=strict_form)(text)


def test_a_model_that_keeps_to_the_plain_form_is_understood_in_strict_form() -> None:
    assert arguments_of(mapping).binder(strict_form=True)('{"x": {"a": 1}}') == ((), {"x": {"a": 1}})
    assert arguments_of(nested).binder(strict_form=True)('{"at": {"a": 1}, "text": ""}')[1]["at"] == Point(a=1)
    assert arguments_of(flat).binder(strict_form=True)('{"x": 1}') == ((), {"x": 1})


def test_null_means_the_default_in_plain_form_only_where_it_means_nothing_else() -> None:
    def function(a: int = 1, b: int | None = 2, c: JsonValue = 3, d: Point | None = None) -> None: ...

    schema = arguments_of(function)
    text = '{"a": null, "b": null, "c": null, "d": null}'
    assert schema.binder(strict_form=False)(text) == ((), {"b": None, "c": None, "d": None})
    assert schema.binder(strict_form=True)(text) == ((), {})


def test_every_call_has_arguments_of_its_own() -> None:
    bind = arguments_of(flat).binder(strict_form=True)
    first, second = bind('{"x": 1, "y": null}'), bind('{"x": 1, "y": null}')
    assert first == second == ((), {"x": 1})
    assert first[1] is not second[1]


@pytest.mark.parametrize("strict_form", [True, False])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[]", "one JSON object"),
        ('"{}"', "one JSON object"),
        ("", "text: missing"),
        ("  ", "text: missing"),
        ("null", "text: missing"),
        ("{}", "text: missing"),
        ('{"text": 1}', "text: Input should be a valid string"),
        ('{"text": "a", "town": 1}', "town: unknown\nKnown arguments: text, ratio, query"),
        ('{"text": "a", "text": "b"}', "'text' is given twice"),
        ('{"text": "a", "query": {"a": 1, "a": 2}}', "'a' is given twice"),
        ('{"text": "a", "ratio": NaN}', "NaN"),
        ('{"text": "a", "ratio": -Infinity}', "Infinity"),
        ('{"text": "\\ud800"}', "Invalid JSON"),
        ('{"text": "\ud800"}', ""),
        ('{"text": "\x00"}', "Invalid JSON"),
        ("[" * 100_000, ""),
        ('{"text": ' + "[" * 100_000 + "]" * 100_000 + "}", ""),
        ('{"text": ' + '{"a":' * 100_000, ""),
        ('{"text": ' + "9" * 10_000 + "}", ""),
        ('{"text": "' + "a" * 10_000_000 + '", "b": 1}', "b: unknown"),
        ('{"' + "a" * 10_000_000 + '": 1}', ""),
    ],
    ids=lambda each: str(each)[:30],
)
def test_whatever_a_model_writes_is_told_and_never_fatal(text: str, told: str, strict_form: bool) -> None:
    def function(text: str, ratio: float = 1.0, query: Point | None = None) -> None: ...

    with pytest.raises(ArgumentsInvalid) as caught:
        arguments_of(function).binder(strict_form=strict_form)(text)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 2_000
    assert "pydantic" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("text", ["", " ", "null", "{}"])
def test_nothing_is_no_arguments(text: str) -> None:
    def function(a: int = 1) -> None: ...

    assert arguments_of(function).binder(strict_form=True)(text) == ((), {})
    assert arguments_of(lambda: None).binder(strict_form=True)(text) == ((), {})


def test_text_with_everything_in_it_comes_through() -> None:
    def function(text: str, ratio: float) -> None: ...

    text = '":NaN"Infinity\0null'
    given = {"text": text, "ratio": 1e300}
    assert arguments_of(function).binder(strict_form=True)(json.dumps(given)) == ((), given)
