from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from mcp.types import Tool as Listed
from mcp.types import ToolAnnotations

from toolkit import DefinitionError
from toolkit.mcp.listing import Choice, toolset


async def call(name: str, arguments: Mapping[str, Any]) -> object:
    return f"{name} {arguments}"


def listed(*names: str, **more: Any) -> list[Listed]:
    return [Listed(name=name, input_schema={"type": "object"}, **more) for name in names]


def test_names_schemas_texts_and_hints() -> None:
    hints = ToolAnnotations(title="Hinted", read_only_hint=True, idempotent_hint=True)
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    one = Listed(name="files/read.all", description="Read.", input_schema=schema, annotations=hints)
    tools = toolset(
        "server", [one, *listed("b", title="The B"), *listed("c", annotations=hints)], Choice(), call, "Be kind."
    )
    assert list(tools) == ["files_read_all", "b", "c"]
    assert [tool.description for tool in tools.values()] == ["Read.", "The B", "Hinted"]
    assert [(tool.read_only, tool.idempotent) for tool in tools.values()] == [
        (True, True),
        (False, False),
        (True, True),
    ]
    assert tools["files_read_all"].plain_parameters == schema
    assert tools.instructions == "Be kind."
    assert asyncio.run(tools["files_read_all"].acall('{"a": "x"}')).content == "files/read.all {'a': 'x'}"


def test_prefixes_and_names_that_would_be_one() -> None:
    names = list(toolset("server", listed("a.b", "a/b", "x" * 100), Choice(prefix="s_"), call))
    assert names[0] == "s_a_b"
    assert names[1].startswith("s_a_b_")
    assert len(set(names)) == 3
    assert max(map(len, names)) <= 64


def test_only_and_approve_take_the_servers_own_names() -> None:
    tools = toolset("server", listed("a.b", "c"), Choice(only=["a.b"], prefix="s_", approve=["a.b"]), call)
    assert list(tools) == ["s_a_b"]
    assert tools["s_a_b"].approve is True
    assert toolset("server", listed("a", "b"), Choice(approve=True), call)["b"].approve is True
    for choice in (Choice(only=["a_b"]), Choice(approve=["a_b"])):
        with pytest.raises(DefinitionError, match=r"server has no tool 'a_b'; it has a.b, c"):
            toolset("server", listed("a.b", "c"), choice, call)


def test_what_cannot_be() -> None:
    with pytest.raises(
        DefinitionError, match=r"server has 129 tools, and an assistant may have 128: say which, only=\[...\]"
    ):
        toolset("server", listed(*(f"t{at}" for at in range(129))), Choice(), call)
    bad = Listed(name="bad", input_schema={"type": "array"})
    with pytest.raises(DefinitionError, match="bad: the schema of its arguments must be that of an object"):
        toolset("server", [bad], Choice(), call)
    assert list(toolset("server", [bad, *listed("good")], Choice(only=["good"]), call)) == ["good"]
