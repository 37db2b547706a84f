"""An MCP server of the official package, with what servers do: pages, pictures, errors, news, an early end."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from mcp import MCPError
from mcp.server import NotificationOptions, Server
from mcp.server.runner import serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.types import (
    INVALID_PARAMS,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)

NOTHING: dict[str, Any] = {"type": "object"}
ADD = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
    "required": ["a"],
}
TOOLS = [
    Tool(name="add", description="Add.", input_schema=ADD, annotations=ToolAnnotations(read_only_hint=True)),
    Tool(name="files/read", title="Read.", input_schema=NOTHING, annotations=ToolAnnotations(idempotent_hint=True)),
    *(
        Tool(name=name, input_schema=NOTHING)
        for name in ("fail", "slow", "die", "pid", "environment", "grow", "refuse")
    ),
    Tool(name="mislead", input_schema=NOTHING, output_schema={"type": "object", "required": ["a"]}),
]
bus = InMemorySubscriptionBus()
news: list[Tool] = []


async def list_tools(ctx: Any, params: Any) -> ListToolsResult:
    at = int(params.cursor) if params and params.cursor else 0
    tools = [*TOOLS, *news]
    return ListToolsResult(tools=tools[at : at + 4], next_cursor=str(at + 4) if at + 4 < len(tools) else None)


async def call_tool(ctx: Any, params: Any) -> CallToolResult:
    name, arguments = params.name, params.arguments or {}
    if name == "add":
        value = arguments["a"] + arguments.get("b", 2)
        return CallToolResult(content=[TextContent(text=str(value))], structured_content={"result": value})
    if name == "files/read":
        held = TextResourceContents(uri="file:///a", text="held")
        return CallToolResult(
            content=[
                TextContent(text="read"),
                EmbeddedResource(resource=held),
                ResourceLink(name="a", uri="file:///a"),
                ImageContent(data="aGk=", mime_type="image/png"),
            ]
        )
    if name == "fail":
        return CallToolResult(content=[TextContent(text="no such file " + "x" * 10_000)], is_error=True)
    if name == "slow":
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            Path(os.environ["MARK"]).write_text("cancelled")
            raise
    if name == "die":
        os._exit(3)
    if name == "grow":
        news.append(Tool(name=f"new{len(news)}", input_schema=NOTHING))
        await ctx.session.send_tool_list_changed()
        await bus.publish(ToolsListChanged())
    if name == "refuse":
        raise MCPError(INVALID_PARAMS, "not with these arguments")
    if name == "mislead":
        return CallToolResult(content=[], structured_content={"b": 1})
    if name == "environment":
        return CallToolResult(content=[TextContent(text=" ".join(os.environ))])
    return CallToolResult(content=[TextContent(text=str(os.getpid()))])


def server() -> Server[Any]:
    made: Server[Any] = Server(
        "tester",
        instructions="Be kind.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=ListenHandler(bus),
    )
    return made


async def serve(made: Server[Any], received: Any, sent: Any) -> None:
    options = made.create_initialization_options(NotificationOptions(tools_changed=True))
    if "--legacy" in sys.argv:  # as servers were before 2026-07-28
        await serve_loop(made, received, sent, lifespan_state={}, init_options=options)
    else:
        await made.run(received, sent, options)


async def main() -> None:
    made = server()
    async with stdio_server() as (received, sent):
        await serve(made, received, sent)


if __name__ == "__main__":
    if "--http" in sys.argv:
        import uvicorn

        config = uvicorn.Config(server().streamable_http_app(), port=int(sys.argv[-1]), log_level="error")
        uvicorn.Server(config).run()
    else:
        asyncio.run(main())
