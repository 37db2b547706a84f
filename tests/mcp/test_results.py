from __future__ import annotations

from typing import Any

import pytest
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from toolkit import Image, ToolError
from toolkit.mcp.results import told


def test_pictures_stand_beside_the_text() -> None:
    image = ImageContent(data="aGVsbG8=", mime_type="image/webp")
    assert told(CallToolResult(content=[TextContent(text="a"), image])) == ["a", Image(b"hello", "image/webp")]
    assert told(CallToolResult(content=[image])) == [Image(b"hello", "image/webp")]
    bad = ImageContent(data="a", mime_type="image/png")
    assert told(CallToolResult(content=[bad])) == "[image/png: not readable]"


def result(*texts: str, structured: Any = None, is_error: bool = False) -> CallToolResult:
    content = [TextContent(text=text) for text in texts]
    return CallToolResult(content=content, structured_content=structured, is_error=is_error)  # type: ignore[arg-type]


def test_every_kind_of_content() -> None:
    content = [
        TextContent(text="text"),
        AudioContent(data="aGk=", mime_type="audio/wav"),
        EmbeddedResource(resource=TextResourceContents(uri="file:///a", text="held")),
        EmbeddedResource(resource=BlobResourceContents(uri="file:///b", blob="aGkh", mime_type="application/pdf")),
        ResourceLink(name="c", title="The C", uri="file:///c", description="What it is."),
    ]
    text = told(CallToolResult(content=content))  # type: ignore[arg-type]
    assert str(text).splitlines() == [
        "text",
        "[audio/wav, 2 bytes: cannot be shown as text]",
        "held",
        "[file:///b, application/pdf, 3 bytes: cannot be shown as text]",
        "[The C, file:///c: What it is.]",
    ]


@pytest.mark.parametrize(
    ("texts", "structured", "said"),
    [
        ((), {"a": "é"}, '{"a":"é"}'),
        (('{"a": 1}',), {"a": 1}, '{"a": 1}'),
        (("found 1",), {"a": 1}, 'found 1\n{"a":1}'),
        (("3",), {"result": 3}, "3"),
        (("three",), {"result": "three"}, "three"),
        (("3",), {"result": "3"}, "3"),
        (("1", "b"), {"result": [1, "b"]}, "1\nb"),
        (("[1, 2]",), {"result": [1, 2]}, "[1, 2]"),
        (("1",), {"result": 2}, '1\n{"result":2}'),
        ((), [1, 2], "[1,2]"),
        ((), None, ""),
    ],
)
def test_structured_content_is_said_once(texts: tuple[str, ...], structured: Any, said: str) -> None:
    assert told(result(*texts, structured=structured)) == said


def test_errors_are_short() -> None:
    with pytest.raises(ToolError) as caught:
        told(result("no", "such file", structured={"a": 1}, is_error=True))
    assert str(caught.value) == "no\nsuch file"
    with pytest.raises(ToolError) as caught:
        told(result("x" * 10_000, is_error=True))
    assert len(str(caught.value)) == 2003
    with pytest.raises(ToolError, match="does not say why"):
        told(result(is_error=True))
