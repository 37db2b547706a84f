"""Only type-checked, by mypy and pyright: what comes from elsewhere is a toolset like any other."""

from __future__ import annotations

from typing import Any, assert_type

from toolkit import Tool, Toolset
from toolkit.mcp import Connection, mcp_server, mcp_tools
from toolkit.openapi import from_openapi


def place(**arguments: Any) -> str:
    return str(arguments)


def blocking(tools: Toolset) -> None:
    assert_type(Tool.from_schema(place, {}, name="place", description="", approve=True), Tool[..., Any])
    Tool.from_schema(place, {}, name="place")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - a model needs to know what it does
    connection = mcp_tools("uvx", "server", only=["a"], prefix="a_", approve=["a"], env={"A": "b"})
    assert_type(connection, Connection)
    with connection as found:
        assert_type(found, Toolset)
    assert_type(connection.tools, Toolset)
    assert_type(from_openapi({"openapi": "3.1.0"}, auth=lambda: ("user", "password")), Toolset)
    assert_type(from_openapi("https://a.example", auth={"key": "a", "basic": ("a", "b")}, approve=True), Toolset)
    mcp_server(tools, deps=1).streamable_http_app()


async def awaiting() -> None:
    async with mcp_tools("https://a.example/mcp", headers={"a": "b"}) as found:
        assert_type(found, Toolset)
