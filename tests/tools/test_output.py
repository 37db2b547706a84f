"""A value becomes text: never a Python repr, never more than the cap, always UTF-8."""

import base64
import dataclasses
import datetime
import enum
import json
import socket
import uuid
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from toolkit.errors import Retry
from toolkit.tools.attachments import File, Image
from toolkit.tools.output import LEAST_OUTPUT_BYTES, NoJsonForm, Output, output_of, text_of


class Unit(enum.Enum):
    C = "c"


class Kind(str, enum.Enum):  # noqa: UP042 - the older spelling, which prints as Kind.NOTE
    NOTE = "note"


class Weather(BaseModel):
    city: str
    temperature: float = Field(alias="temp")
    on: datetime.date


@dataclasses.dataclass
class Point:
    x: int
    unit: Unit


class Pair(NamedTuple):
    left: int
    right: str


class Row(TypedDict):
    id: int


WEATHER = Weather(city="Seoul", temp=1.5, on=datetime.date(2026, 1, 2))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (WEATHER, {"city": "Seoul", "temp": 1.5, "on": "2026-01-02"}),
        ([WEATHER, None], [{"city": "Seoul", "temp": 1.5, "on": "2026-01-02"}, None]),
        (Point(1, Unit.C), {"x": 1, "unit": "c"}),
        (Pair(1, "b"), [1, "b"]),
        (Row(id=3), {"id": 3}),
        (Unit.C, "c"),
        (None, None),
        (True, True),
        (3, 3),
        (Decimal("1.50"), "1.50"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05Z"),
        (datetime.timedelta(hours=1), "PT1H"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("a/b"), "a/b"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\xfe", base64.urlsafe_b64encode(b"\xff\xfe").decode()),
        ({"view": memoryview(b"\xff")}, {"view": "_w=="}),
        ({1, 1}, [1]),
        (range(3), [0, 1, 2]),
        ({"a": 1}.keys(), ["a"]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ((number for number in (1, 2)), [1, 2]),
        (float("nan"), "NaN"),
        ({"deep": [{1: Unit.C, "when": datetime.date(2026, 1, 2)}]}, {"deep": [{"1": "c", "when": "2026-01-02"}]}),
        ({"broken": "\ud800"}, {"broken": "\ufffd"}),
        ({"b": b"\xff", "n": [float("nan"), float("-inf"), 1.5]}, {"b": "_w==", "n": ["NaN", "-Infinity", 1.5]}),
    ],
)
def test_values_become_json(value: Any, expected: Any) -> None:
    assert json.loads(text_of(value)) == expected


def test_strings_stay_as_they_are() -> None:
    assert text_of('say "hi" \x00 é') == 'say "hi" \x00 é'
    assert text_of(Kind.NOTE) == "note"
    assert type(text_of(Kind.NOTE)) is str


def test_surrogates_become_whole_or_replaced() -> None:
    assert text_of("a\ud83d\ude00b") == "a😀b"
    assert text_of("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize("value", [object(), {"s": [socket.AF_INET, object()]}, ValueError("secret"), int, lambda: 1])
def test_what_has_no_json_form_is_an_error_without_its_repr(value: Any) -> None:
    with pytest.raises(NoJsonForm) as caught:
        text_of(value)
    assert f"returned a {type(value).__qualname__}" in str(caught.value)
    assert "0x" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("attachment", [Image(b"x"), File(b"x", "a.pdf")])
def test_a_dict_is_no_place_for_images_and_files(attachment: Image | File) -> None:
    with pytest.raises(NoJsonForm, match="return that by itself, or in a list"):
        output_of({"text": "a", "chart": attachment})


def test_a_circle_and_a_depth_without_end_are_errors() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(NoJsonForm):
            text_of(value)
    while deep:
        deep = deep[0]  # taken apart by hand: letting go of it at once may recurse too deeply


def test_what_a_generator_raises_is_the_tools_own() -> None:
    def rows() -> Any:
        yield 1
        raise Retry("which table?")

    with pytest.raises(Retry, match="which table"):
        output_of(rows())


def test_an_output_passes_through() -> None:
    assert output_of(Output("no", ok=False)) == Output("no", ok=False)
    assert output_of(Output({"a": 1})) == Output('{"a":1}')  # type: ignore[arg-type]  # what an untyped tool may do


def test_a_cut_says_how_much_is_missing() -> None:
    output = output_of("x" * 1000, 300)
    kept, _, note = output.content.partition("\n")
    assert set(kept) == {"x"}
    assert f"the first {len(kept)} of 1000 bytes" in note
    assert 290 < len(output.content) <= 300
    assert output_of("x" * 300, 300) == Output("x" * 300)
    assert output_of(Output("x" * 301, ok=False), 300).ok is False


@given(st.text(alphabet=st.characters(codec=None), max_size=400), st.integers(LEAST_OUTPUT_BYTES, 600))
def test_any_text_is_utf8_within_the_cap(text: str, cap: int) -> None:
    content = output_of(text, cap).content
    data = content.encode()
    assert len(data) <= cap
    if len(data) < len(text_of(text).encode()):
        kept = content.partition("\n[Cut: ")[0] if "\n[Cut: " not in text else content[: content.rindex("\n[Cut: ")]
        assert text_of(text).startswith(kept)
        assert f"first {len(kept.encode())} of" in content
    else:
        assert content == text_of(text)


def test_what_an_output_shows_of_itself() -> None:
    assert repr(Output("a")) == "Output(content='a', ok=True)"
    dot = Image(b"dot", "image/gif")
    assert repr(Output("a", False, ("b", dot))) == (
        "Output(content='a', ok=False, parts=('b', Image(media_type='image/gif', url='', file_id='')))"
    )
