"""What fastmcp makes of functions that are served over MCP: the cells of docs/compare.md about it.

    .venv/peers/bin/python tests/compare/mcp_servers.py

In one process, as it is without settings, under its own client. Nothing of ours is imported.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from importlib.metadata import version
from typing import Any, Literal

from fastmcp import Client, Context, FastMCP
from fastmcp.utilities.types import Image

server: FastMCP[Any] = FastMCP("tools")
masked: FastMCP[Any] = FastMCP("masked", mask_error_details=True)
ended: list[str] = []


@server.tool
def weather(city: str, unit: Literal["c", "f"] = "c") -> str:
    """Weather in a city."""
    return f"Sunny in {city}."


@masked.tool
@server.tool
def breaks() -> str:
    """Break."""
    raise RuntimeError("the lamp fell over")


@server.tool
def leaves() -> str:
    """End the program."""
    raise SystemExit(3)


@server.tool
def slow() -> str:
    """Take a while."""
    time.sleep(0.5)
    return "slow"


@server.tool
async def waits() -> str:
    """Wait."""
    try:
        await asyncio.sleep(30)
    finally:
        ended.append("waits")
    return "waited"


@server.tool
def draw() -> Image:
    """Draw a dot."""
    return Image(data=b"dot", format="gif")


@server.tool
async def pay(amount: float, ctx: Context) -> str:
    """Pay."""
    said = await ctx.elicit(f"Pay {amount:g}?", response_type=bool)
    return "paid" if said.action == "accept" and said.data else "not paid"


async def told(client: Client[Any], name: str, **arguments: Any) -> str:
    try:
        result = await client.call_tool(name, arguments, raise_on_error=False)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    kinds = [
        getattr(one, "text", None) or f"{one.type} of {len(base64.b64decode(one.data))} bytes" for one in result.content
    ]
    return f"{'error' if result.is_error else 'result'}: {' | '.join(kinds)}".replace("\n", " / ")


async def main() -> None:
    logging.disable()
    print(f"\nfastmcp {version('fastmcp')}")
    async with Client(server) as client:
        [schema] = [each.input_schema for each in await client.list_tools() if each.name == "weather"]
        print(f"  the schema: {json.dumps(schema)}")
        print(f"  unknown tool: {await told(client, 'whether', city='Seoul')}")
        print(f"  missing argument: {await told(client, 'weather')}")
        print(f"  wrong argument: {await told(client, 'weather', city='Seoul', unit='k')}")
        print(f"  exception: {await told(client, 'breaks')}")
        began = time.monotonic()
        await asyncio.gather(*(told(client, "slow") for _ in range(3)))
        print(f"  three slow ones: {time.monotonic() - began:.1f} s")
        print(f"  a picture: {await told(client, 'draw')}")
        print(f"  approval, client cannot ask: {await told(client, 'pay', amount=50)}")
        waiting = asyncio.create_task(client.call_tool("waits"))
        await asyncio.sleep(0.3)
        waiting.cancel()
        await asyncio.sleep(1)
        print(f"  cancelled by the client: the function {'ended' if ended else 'went on'}")

    async def accept(message: str, kind: Any, *_: object) -> Any:
        return kind(value=True)

    for mode in ("auto", "legacy"):
        async with Client(server, elicitation_handler=accept, mode=mode) as client:
            print(f"  approval, client can ask, protocol {mode}: {await told(client, 'pay', amount=50)}")
    async with Client(masked) as client:
        print(f"  exception, mask_error_details=True: {await told(client, 'breaks')}")
    async with Client(server) as client:
        left, after = await told(client, "leaves"), await told(client, "weather", city="Seoul")
        print(f"  a function that exits: {left}; the next call: {after}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except SystemExit as left:
        print(f"  a function that exits: the program of the server has ended, with {left}")
