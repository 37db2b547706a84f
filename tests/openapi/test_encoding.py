from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import ToolError
from toolkit.openapi.encoding import cookies, header, path_part, query, text_of

ARRAY, OBJECT = ["blue", "black"], {"R": 100, "G": 200}


@pytest.mark.parametrize(
    ("style", "explode", "value", "said"),
    [  # the table of the OpenAPI Specification, "Style Examples"
        ("matrix", False, "blue", ";color=blue"),
        ("matrix", False, ARRAY, ";color=blue,black"),
        ("matrix", False, OBJECT, ";color=R,100,G,200"),
        ("matrix", True, "blue", ";color=blue"),
        ("matrix", True, ARRAY, ";color=blue;color=black"),
        ("matrix", True, OBJECT, ";R=100;G=200"),
        ("label", False, "blue", ".blue"),
        ("label", False, ARRAY, ".blue,black"),
        ("label", True, ARRAY, ".blue.black"),
        ("label", True, OBJECT, ".R=100.G=200"),
        ("label", False, OBJECT, ".R,100,G,200"),
        ("simple", False, ARRAY, "blue,black"),
        ("simple", False, OBJECT, "R,100,G,200"),
        ("simple", True, OBJECT, "R=100,G=200"),
    ],
)
def test_styles_of_the_path(style: str, explode: bool, value: Any, said: str) -> None:
    assert path_part("color", value, style=style, explode=explode) == said


@pytest.mark.parametrize(
    ("style", "explode", "value", "said"),
    [
        ("form", True, "blue", "color=blue"),
        ("form", True, "", "color="),
        ("form", True, ARRAY, "color=blue&color=black"),
        ("form", True, OBJECT, "R=100&G=200"),
        ("form", False, ARRAY, "color=blue,black"),
        ("form", False, OBJECT, "color=R,100,G,200"),
        ("spaceDelimited", False, ARRAY, "color=blue%20black"),
        ("spaceDelimited", False, OBJECT, "color=R%20100%20G%20200"),
        ("pipeDelimited", False, ARRAY, "color=blue%7Cblack"),
        ("deepObject", True, OBJECT, "color%5BR%5D=100&color%5BG%5D=200"),
        ("deepObject", True, {"a": {"b": [1, True]}}, "color%5Ba%5D%5Bb%5D=1&color%5Ba%5D%5Bb%5D=true"),
        ("form", True, [], ""),
        ("form", True, [{"a": 1}], "color=%7B%22a%22%3A1%7D"),
    ],
)
def test_styles_of_the_query(style: str, explode: bool, value: Any, said: str) -> None:
    assert "&".join(query("color", value, style=style, explode=explode)) == said


def test_reserved_characters_stay_where_they_end_nothing() -> None:
    assert list(query("q", "a/b?c:d", allow_reserved=True)) == ["q=a/b?c:d"]
    assert list(query("q", "a&b=c#d+e", allow_reserved=True)) == ["q=a%26b%3Dc%23d%2Be"]


def test_headers_and_cookies() -> None:
    assert header("X-Color", ARRAY) == "blue,black"
    assert header("X-Color", OBJECT) == "R,100,G,200"
    assert header("X-Color", OBJECT, explode=True) == "R=100,G=200"
    assert "; ".join(cookies("color", ARRAY)) == "color=blue; color=black"
    assert list(cookies("color", "a; admin=1")) == ["color=a%3B%20admin%3D1"]


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0b", "é", ["a", "b\r\n"], {"a\n": 1}])
def test_a_header_is_one_line(value: Any) -> None:
    with pytest.raises(ToolError, match="X-Trace: must be plain ASCII"):
        header("X-Trace", value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        [],
        {},
        "..",
        ".",
        "../admin",
        "a/../b",
        "a\\..\\b",
        "/..",
        "a/.",
        ["..", "a/.."],
        {"a": "x/.."},
        "a\nb",
    ],
)
def test_a_path_parameter_leads_nowhere_else(value: Any) -> None:
    with pytest.raises(ToolError, match="id: must"):
        path_part("id", value)


@pytest.mark.parametrize("value", ["//evil.example", "a/b", "a?b=c", "a#b", "%2e%2e", "a..b", "...", "{id}", ";a=b"])
def test_what_it_holds_is_escaped(value: str) -> None:
    part = path_part("id", value)
    assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", part)
    assert unquote(part) == value


def test_values_are_text() -> None:
    assert [text_of(each) for each in ("a", True, 1, 1.5, None, [1], {"a": "é"})] == [
        "a", "true", "1", "1.5", "", "[1]", '{"a":"é"}'
    ]  # fmt: skip


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.dictionaries(TEXTS.filter(bool), TEXTS | st.lists(TEXTS), min_size=1))
def test_a_query_is_read_as_it_was_meant(values: dict[str, Any]) -> None:
    pieces = [piece for name, value in values.items() for piece in query(name, value)]
    meant = [(name, each) for name, value in values.items() for each in (value if isinstance(value, list) else [value])]
    assert parse_qsl("&".join(pieces), keep_blank_values=True, max_num_fields=None) == meant


@settings(deadline=None)
@given(
    st.text() | st.lists(st.text(), max_size=3) | st.dictionaries(st.text(), st.text(), max_size=3),
    st.sampled_from(["simple", "label", "matrix"]),
    st.booleans(),
)
def test_no_value_leaves_its_segment(value: Any, style: str, explode: bool) -> None:
    try:
        part = path_part("id", value, style=style, explode=explode)
    except ToolError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_.~%;=,-]*", part)
    assert unquote(part) not in (".", "..")


@settings(deadline=None)
@given(st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()), st.booleans())
def test_no_value_adds_a_line_to_the_header(value: Any, explode: bool) -> None:
    try:
        assert re.fullmatch(r"[\x20-\x7e]*", header("X", value, explode=explode))
    except ToolError:
        return


@settings(deadline=None)
@given(st.text(), st.booleans(), st.sampled_from(["form", "spaceDelimited", "pipeDelimited", "deepObject"]))
def test_no_value_begins_another_parameter(value: str, reserved: bool, style: str) -> None:
    for given_value in (value, [value], {"a": value}):
        for piece in query("q", given_value, style=style, allow_reserved=reserved):
            assert not set(piece) & set("&#+ \r\n")
            assert piece.count("=") == 1
