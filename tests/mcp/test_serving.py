"""Under the official client, of both of its protocols, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp.types import ElicitResult, ErrorData

from toolkit import File, Image, RunContext, ToolError, Toolset, tool
from toolkit.mcp import mcp_server, serving

begun: list[str] = []
ended: list[str] = []


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


@tool(read_only=True)
def add(a: int, b: int = 2) -> int:
    """Add numbers."""
    return a + b


@tool(approve=lambda amount: amount > 10, timeout_s=5)
async def pay(amount: float) -> str:
    """Pay."""
    return f"paid {amount:g}"


@tool
async def slow() -> str:
    """Be slow."""
    begun.append("slow")
    try:
        await asyncio.sleep(60)
    finally:
        ended.append("slow")
    return "done"


@tool(timeout_s=0.1)
def late() -> str:
    """Be late."""
    import time

    time.sleep(0.5)
    return ""


@tool
def fail(how: Literal["told", "hidden", "exit"]) -> str:
    """Fail."""
    if how == "exit":
        raise SystemExit(3)
    raise ToolError("no such file") if how == "told" else ValueError("secret")


@tool
def who(ctx: RunContext[Any]) -> str:
    """Say who asks."""
    return f"{ctx.deps} {ctx.idempotency_key}"


@tool
def draw() -> list[object]:
    """Draw."""
    return ["a dot", Image(b"dot", "image/gif")]


@tool
def hand_over() -> list[object]:
    """Give files."""
    return [File(b"%PDF", "a b?.pdf", "application/pdf"), Image(url="https://a.example/b.png"), Image(file_id="file-a")]


TOOLS = Toolset(add, pay, slow, late, fail, who, draw, hand_over, instructions="Be exact.")
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


def use(
    work: Callable[[Client], Awaitable[None]], mode: str, tools: Toolset = TOOLS, ask: Any = None, **options: Any
) -> None:
    async def main() -> None:
        async with Client(mcp_server(tools, **options), mode=mode, elicitation_callback=ask) as client:
            await work(client)

    asyncio.run(main())


async def call(client: Client, name: str, **arguments: Any) -> tuple[bool, str]:
    result = await client.call_tool(name, arguments)
    return result.is_error, result.content[0].text  # type: ignore[union-attr]


@MODES
def test_tools_are_listed_and_called(mode: str) -> None:
    async def work(client: Client) -> None:
        assert client.instructions == "Be exact."
        listed = (await client.list_tools()).tools
        assert [each.name for each in listed] == list(TOOLS)
        assert listed[0].input_schema["required"] == ["a"]
        assert listed[0].annotations is not None
        assert listed[0].annotations.read_only_hint is True
        assert listed[5].input_schema["properties"] == {}
        assert await call(client, "add", a=1) == (False, "3")
        assert await call(client, "add", a="x") == (
            True,
            "a: Input should be a valid integer, unable to parse string as an integer",
        )
        assert await call(client, "fail", how="told") == (True, "no such file")
        assert await call(client, "fail", how="hidden") == (True, "The tool fail failed.")
        assert await call(client, "fail", how="exit") == (True, "The tool fail failed.")
        assert (await call(client, "late"))[1].startswith("The tool late gave no result within 0.1 s.")
        text, image = (await client.call_tool("draw")).content
        assert text.text == "a dot"  # type: ignore[union-attr] - it is a text
        assert (image.data, image.mime_type) == ("ZG90", "image/gif")  # type: ignore[union-attr]
        with pytest.raises(MCPError, match=r"There is no tool 'none'. The tools are: add"):
            await call(client, "none")

    use(work, mode)


@MODES
def test_files_go_along_with_their_bytes_or_by_their_address(mode: str) -> None:
    async def work(client: Client) -> None:
        given = (await client.call_tool("hand_over")).content
        assert [one.model_dump(exclude_none=True) for one in given] == [
            {
                "type": "resource",
                "resource": {"uri": "attachment:a%20b%3F.pdf", "mime_type": "application/pdf", "blob": "JVBERg=="},
            },
            {"type": "resource_link", "name": "image", "uri": "https://a.example/b.png", "mime_type": "image/png"},
            {"type": "text", "text": "[An image, file-a]"},
        ]

    use(work, mode)


@MODES
def test_deps_are_the_servers_and_every_call_has_its_own_key(mode: str) -> None:
    async def work(client: Client) -> None:
        first, second = [(await call(client, "who"))[1].split() for _ in range(2)]
        assert first[0] == "Ann"
        assert first[1] != second[1]

    use(work, mode, deps="Ann")


@MODES
def test_guards_and_filters_hold(mode: str) -> None:
    guarded = TOOLS.only("add").guarded(lambda ctx, arguments: arguments["a"] < 5)
    hidden = TOOLS.only("pay").filtered(lambda ctx: ctx.deps == "admin")

    async def work(client: Client) -> None:
        assert [each.name for each in (await client.list_tools()).tools] == ["add"]
        assert await call(client, "add", a=1) == (False, "3")
        assert await call(client, "add", a=7) == (True, "This call of add is not allowed.")
        with pytest.raises(MCPError, match="There is no tool 'pay'"):
            await call(client, "pay", amount=1)

    use(work, mode, guarded + hidden)


@MODES
def test_approval_is_asked_of_the_person_at_the_client(mode: str) -> None:
    asked: list[str] = []
    answers = iter(["accept", "decline", "cancel"])

    async def ask(context: Any, params: Any) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action=next(answers))  # type: ignore[arg-type]

    async def work(client: Client) -> None:
        assert await call(client, "pay", amount=5) == (False, "paid 5")
        assert asked == []
        assert await call(client, "pay", amount=50) == (False, "paid 50")
        assert asked == ['Approve this call?\npay {\n  "amount": 50\n}']
        for _ in range(2):
            assert await call(client, "pay", amount=50) == (True, "This call was not approved, and was not made.")
        assert (await call(client, "pay", amount="x"))[1].startswith("amount: Input should be a valid number")

    use(work, mode, ask=ask)


@MODES
def test_a_client_that_cannot_ask_gets_no_call_made(mode: str) -> None:
    why = "This call was not made: it needs a person's approval, and this client cannot ask for it."

    async def work(client: Client) -> None:
        assert await call(client, "pay", amount=50) == (True, why)

    use(work, mode)

    async def approved(client: Client) -> None:
        assert await call(client, "pay", amount=50) == (False, "paid 50")

    use(approved, mode, approve_all=True)


def test_a_client_that_can_ask_and_does_not_gets_no_call_made() -> None:
    async def ask(context: Any, params: Any) -> ErrorData:
        return ErrorData(code=-32603, message="the window is closed")

    async def work(client: Client) -> None:
        assert (await call(client, "pay", amount=50))[1].startswith("This call was not made: it needs a person's")

    use(work, "legacy", ask=ask)


def test_an_approval_is_of_one_call_alone() -> None:
    async def ask(context: Any, params: Any) -> ElicitResult:
        raise AssertionError("asked by hand below")

    async def work(client: Client) -> None:
        first = await client.session.call_tool("pay", {"amount": 50}, allow_input_required=True)
        accepted: Any = {"approve": ElicitResult(action="accept")}
        state = first.request_state  # type: ignore[union-attr]
        for arguments, seal in (({"amount": 5000}, state), ({"amount": 50}, "made up"), ({"amount": 50}, None)):
            again = await client.session.call_tool(
                "pay", arguments, input_responses=accepted, request_state=seal, allow_input_required=True
            )
            assert again.result_type == "input_required"
        done = await client.session.call_tool("pay", {"amount": 50}, input_responses=accepted, request_state=state)
        assert done.content[0].text == "paid 50"  # type: ignore[union-attr]

    use(work, "auto", ask=ask)


@MODES
def test_cancelling_reaches_the_tool(mode: str) -> None:
    begun.clear()
    ended.clear()

    async def work(client: Client) -> None:
        calling = asyncio.create_task(client.call_tool("slow"))
        await until(lambda: bool(begun))
        calling.cancel()
        await until(lambda: bool(ended))

    use(work, mode)


@MODES
def test_progress_is_told_where_it_is_asked_for(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PROGRESS_S", 0.05)
    heard: list[float] = []

    async def progressed(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async def work(client: Client) -> None:
        calling = asyncio.create_task(client.call_tool("slow", progress_callback=progressed))
        await until(lambda: len(heard) > 1)
        calling.cancel()
        assert heard == sorted(heard)

    use(work, mode)
