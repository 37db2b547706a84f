"""A toolset as an MCP server: its tools listed, called, cancelled, and asked about where a person must approve.

Calls are made as a run makes them (`adispatch`): checked, guarded, filtered, timed out, their failures in words for the
model. A call that needs approval is put to the person at the client, which MCP calls elicitation; a client that cannot
ask gets no call made.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from base64 import b64encode
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from toolkit.mcp.extra import check_extra
from toolkit.tools.attachments import File, Image, Part
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.context import RunContext
from toolkit.tools.dispatch import adispatch
from toolkit.tools.failures import failure, unknown_tool
from toolkit.tools.output import Output
from toolkit.tools.tool import Tool
from toolkit.tools.toolset import Toolset

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp.types import (
        CallToolRequestParams,
        CallToolResult,
        ContentBlock,
        ElicitResult,
        InputRequiredResult,
        ListToolsResult,
        PaginatedRequestParams,
    )
    from mcp.types import Tool as Listed

__all__ = ["mcp_server"]

PROGRESS_S = 5.0
"""How often a client that wants to hear of progress does, while a call lasts; many wait longer then."""
QUESTION: Final = "approve"
CANNOT_ASK: Final = "This call was not made: it needs a person's approval, and this client cannot ask for it."
NOTHING: Final[dict[str, Any]] = {"type": "object", "properties": {}}
"""The form of a question that is answered with yes or no alone."""


def mcp_server(
    tools: Toolset, *, name: str = "toolkit", deps: object = None, approve_all: bool = False
) -> Server[dict[str, Any]]:
    """Make an MCP server of the official package that has these tools; `toolkit mcp` runs one.

    deps: what `ctx.deps` is for the tools, their guards and filters.
    approve_all: make calls that need approval without asking.
    Raises ServerUnavailable where the package is missing.
    """
    check_extra()
    from mcp.server import Server

    served = _Served(tools, deps, approve_all)
    return Server(
        name,
        version=_version(),
        instructions=tools.instructions or None,
        on_list_tools=served.list,
        on_call_tool=served.call,
    )


class _Served:
    """What answers the requests of all clients of one server."""

    def __init__(self, tools: Toolset, deps: object, approve_all: bool) -> None:
        # Clients of MCP know no strict schemas: they get the plain ones, where what may be left out is not required.
        self._tools = Toolset(*(tool.varied(strict=False) for tool in tools.values()))
        self._deps, self._approve_all = deps, approve_all
        self._run_id = f"mcp_{secrets.token_hex(8)}"
        self._key = secrets.token_bytes(32)

    async def list(self, ctx: ServerRequestContext[Any], params: PaginatedRequestParams | None) -> ListToolsResult:
        from mcp.types import ListToolsResult

        visible = self._tools.visible(self._deps, run_id=self._run_id)
        return ListToolsResult(tools=[_listed(tool) for tool in visible.values()])

    async def call(
        self, ctx: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        from mcp import MCPError
        from mcp.types import INVALID_PARAMS

        visible = self._tools.visible(self._deps, run_id=self._run_id)
        tool = visible.find(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, unknown_tool(params.name, visible).content)
        call = Call(f"call_{secrets.token_hex(12)}", tool.name, json.dumps(params.arguments or {}))
        if not self._approve_all and tool.needs_approval(call.arguments, self._context(call)):
            refused = await self._asked(ctx, params, call)
            if refused is not None:
                return refused
        telling = asyncio.create_task(_tell_progress(ctx))
        try:
            output = (await self._finished(call)).output
        except SystemExit as error:  # would end the server for all of its clients
            output = failure(call.name, error)
        finally:
            telling.cancel()
        return _result(output)

    async def _finished(self, call: Call) -> FinishedCall:
        """Make the call; being cancelled cancels it, as far as it can be."""
        async with aclosing(adispatch(self._tools, [call], deps=self._deps, run_id=self._run_id)) as finishing:
            async for _, finished in finishing:
                return finished
        raise AssertionError("a call is always answered")

    def _context(self, call: Call) -> RunContext[Any]:
        return RunContext(self._deps, call.id, call.name, self._run_id, "")

    async def _asked(
        self, ctx: ServerRequestContext[Any], params: CallToolRequestParams, call: Call
    ) -> CallToolResult | InputRequiredResult | None:
        """Have the person at the client asked; None when the call is approved."""
        from mcp import MCPError
        from mcp.types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
        from mcp_types.version import MODERN_PROTOCOL_VERSIONS

        if not _can_ask(ctx):
            return _result(Output(CANNOT_ASK, ok=False))
        question = f"Approve this call?\n{call.name} {json.dumps(params.arguments or {}, ensure_ascii=False, indent=2)}"
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            try:
                return _refusal(await ctx.session.elicit_form(question, NOTHING, related_request_id=ctx.request_id))
            except MCPError:  # it said that it can, and does not
                return _result(Output(CANNOT_ASK, ok=False))
        answer = (params.input_responses or {}).get(QUESTION)
        seal = hmac.new(self._key, f"{call.name}\0{call.arguments}".encode(), hashlib.sha256).hexdigest()
        if isinstance(answer, ElicitResult) and hmac.compare_digest(params.request_state or "", seal):
            return _refusal(answer)
        form = ElicitRequestFormParams(message=question, requested_schema=NOTHING)
        return InputRequiredResult(input_requests={QUESTION: ElicitRequest(params=form)}, request_state=seal)


def _can_ask(ctx: ServerRequestContext[Any]) -> bool:
    """Say whether the client puts forms to its person; one that only opens pages says so."""
    capabilities = ctx.session.client_capabilities
    asking = None if capabilities is None else capabilities.elicitation
    return asking is not None and (asking.form is not None or asking.url is None)


def _refusal(answer: ElicitResult) -> CallToolResult | None:
    if answer.action == "accept":
        return None
    return _result(Output("This call was not approved, and was not made.", ok=False))


def _result(output: Output) -> CallToolResult:
    from mcp.types import CallToolResult

    content = [_block(part) for part in output.parts or (output.content,)]
    return CallToolResult(content=content, is_error=not output.ok)


def _block(part: Part) -> ContentBlock:
    """Give a part as the protocol has it: what has bytes with them, what has an address by that."""
    from mcp.types import BlobResourceContents, EmbeddedResource, ImageContent, ResourceLink, TextContent

    if isinstance(part, str):
        return TextContent(text=part)
    data = b64encode(part.data).decode()
    if isinstance(part, File) and (data or not part.file_id):
        uri = f"attachment:{quote(part.name)}"
        return EmbeddedResource(resource=BlobResourceContents(uri=uri, mime_type=part.media_type, blob=data))
    if isinstance(part, Image) and data:
        return ImageContent(data=data, mime_type=part.media_type)
    if isinstance(part, Image) and part.url:
        return ResourceLink(name="image", uri=part.url, mime_type=part.media_type)
    return TextContent(text=f"[{'An image' if isinstance(part, Image) else 'A file'}, {part.file_id}]")


def _listed(tool: Tool[..., Any]) -> Listed:
    from mcp.types import Tool as Listed
    from mcp.types import ToolAnnotations

    hints = ToolAnnotations(read_only_hint=tool.read_only or None, idempotent_hint=tool.idempotent or None)
    return Listed(
        name=tool.name,
        description=tool.description or None,
        input_schema=tool.plain_parameters,
        annotations=hints if tool.read_only or tool.idempotent else None,
    )


async def _tell_progress(ctx: ServerRequestContext[Any]) -> None:
    """Tell a client that asked for it that the call goes on, and since when, in seconds."""
    began = time.monotonic()
    with suppress(Exception):  # a client that is gone
        while True:
            await asyncio.sleep(PROGRESS_S)
            await ctx.session.report_progress(round(time.monotonic() - began, 1))


def _version() -> str:
    from toolkit import __version__

    return __version__
