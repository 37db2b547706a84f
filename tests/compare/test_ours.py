"""What this package does where docs/compare.md says so and no other test shows it."""

from __future__ import annotations

import asyncio
import threading

import pytest
from mcp import Client

from toolkit import LimitReached, Toolset, run, tool
from toolkit.mcp import mcp_server
from toolkit.testing import ScriptedServer, call

together = threading.Barrier(3, timeout=30)


@tool
def meet() -> str:
    """Wait until three are here."""
    together.wait()
    return "met"


def test_functions_that_block_are_called_side_by_side() -> None:
    async def main() -> list[str]:
        async with Client(mcp_server(Toolset(meet))) as client:
            results = await asyncio.gather(*(client.call_tool("meet", {}) for _ in range(3)))
            return [result.content[0].text for result in results]  # type: ignore[union-attr] - texts alone

    assert asyncio.run(main()) == ["met"] * 3


def test_there_are_tools_and_neither_prompts_nor_resources() -> None:
    async def main() -> None:
        async with Client(mcp_server(Toolset(meet))) as client:
            offered = client.server_capabilities
            assert offered.tools is not None
            assert (offered.prompts, offered.resources) == (None, None)

    asyncio.run(main())


def test_a_run_that_calls_without_end_is_ended_after_fifty_turns() -> None:
    made: list[int] = []

    @tool
    def again(number: int) -> int:
        """Be called again."""
        made.append(number)
        return number

    tools = Toolset(again)
    with ScriptedServer(lambda asked: call("again", number=len(made))) as server, server.client() as client:
        with pytest.raises(LimitReached, match="turns"):
            run(client, tools, assistant_id=server.assistant(tools), input="Go.")
        assert made == list(range(50))
        assert server.count("cancel") == 1
