"""An MCP server that runs, or is reached, while its toolset is used.

All connections of a process live on one event loop in a thread of its own, so that their tools work under the blocking
and the awaiting run loop alike, from any thread and any event loop. Each is held open by one task, which alone enters
and leaves the client (as its library wants it), and is asked to leave, never abandoned: what it started, it ends.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from toolkit.errors import ServerUnavailable, ToolError
from toolkit.mcp.doors import Door, door_of
from toolkit.mcp.extra import check_extra
from toolkit.mcp.listing import Choice, toolset
from toolkit.mcp.results import short, told
from toolkit.tools.failures import late
from toolkit.tools.threads import BackgroundLoop
from toolkit.tools.toolset import Toolset

if TYPE_CHECKING:
    import httpx2
    from mcp import Client
    from mcp.types import Tool as Listed

__all__ = ["Connection", "mcp_tools"]

T = TypeVar("T")

LEAVE_S = 10.0
"""How long a server may take to end before we stop waiting; it is killed well before that."""
LISTEN_AGAIN_S = 10.0
"""How long after a broken stream of news to ask for it again."""
MOST_PAGES = 100
"""Pages of a server's list that are read: one that never ends is not followed."""


def mcp_tools(
    server: str,
    *arguments: str,
    only: Collection[str] | None = None,
    prefix: str = "",
    approve: bool | Collection[str] = False,
    timeout_s: float = 60.0,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    headers: Mapping[str, str] | None = None,
    auth: httpx2.Auth | None = None,
) -> Connection:
    """Reach an MCP server, a command with its arguments or a URL, and use its tools while a `with` block lasts.

        with mcp_tools("uvx", "mcp-server-time", prefix="time_") as tools:
            result = run(client, tools, ...)

    `async with` does the same without blocking; the tools work under both clients either way.

    only, approve: names of tools, as the server has them: those to take, those whose calls a person must approve (or
        True for all).
    timeout_s: how long a call may take, and the server to start.
    env, cwd: of a command. It gets PATH, HOME and the like, and these variables, none of ours.
    headers, auth: of a URL, sent with every request.
    Raises DefinitionError for options that cannot be; entering raises ServerUnavailable where the server does not
    answer, DefinitionError for tools that cannot be.
    """
    check_extra()
    door = door_of(server, arguments, env=env, cwd=cwd, headers=headers, auth=auth)
    return Connection(door, Choice(only, prefix, approve), timeout_s)


class Connection:
    """A connection to an MCP server, made by `mcp_tools`; entering it gives the toolset."""

    def __init__(self, door: Door, choice: Choice, timeout_s: float) -> None:
        self.name = door.name
        """What the server is called in messages: its command, or its host."""
        self._door, self._choice, self._timeout_s = door, choice, timeout_s
        self._link: _Link | None = None
        self._connecting: asyncio.Lock | None = None
        self._tools = Toolset()
        self._pid: int | None = None
        """The process that it is open in; None while it is closed."""

    @property
    def tools(self) -> Toolset:
        """The toolset as the server has told it last: it may say that its list has changed, or be another after it
        was started again. What was handed out before stays as it is."""
        return self._tools

    def __repr__(self) -> str:
        return f"<Connection to {self.name}, {'closed' if self._pid is None else 'open'}>"

    def __enter__(self) -> Toolset:
        """Start or reach the server. Raises ServerUnavailable."""
        self._open()
        connecting = _on_loop(self._live())
        try:
            connecting.result()
        except BaseException:
            connecting.cancel()
            self.close()
            raise
        return self._tools

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server that was started."""
        self.close()

    async def __aenter__(self) -> Toolset:
        """Start or reach the server without blocking. Raises ServerUnavailable."""
        self._open()
        try:
            await asyncio.wrap_future(_on_loop(self._live()))
        except BaseException:
            await asyncio.to_thread(self.close)
            raise
        return self._tools

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server that was started."""
        await asyncio.to_thread(self.close)

    def _open(self) -> None:
        if self._pid is not None:
            raise ServerUnavailable(f"The connection to {self.name} is open already: make another with mcp_tools")
        self._pid = os.getpid()
        _open.add(self)

    def close(self) -> None:
        """End the server that was started, as leaving the `with` block does; it may be entered again then."""
        here, self._pid = self._pid == os.getpid(), None
        _open.discard(self)
        if here:
            leaving = _on_loop(self._leave())
            with suppress(TimeoutError):
                leaving.result(LEAVE_S)

    async def _leave(self) -> None:
        async with self._connecting or asyncio.Lock():  # a call may be starting the server anew
            link, self._link = self._link, None
        if link is not None:
            await link.leave()

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> object:
        """Call a tool from whatever loop the caller runs on; being cancelled cancels the call on the server."""
        if self._pid is not None and self._pid != os.getpid():
            raise ToolError(f"The connection to the MCP server {self.name} was opened in another process.")
        return await asyncio.wrap_future(_on_loop(self._called(name, arguments)))

    async def _called(self, name: str, arguments: Mapping[str, Any]) -> object:
        from mcp import MCPError
        from mcp.types import REQUEST_TIMEOUT

        try:
            link = await self._live()
        except ServerUnavailable as error:
            raise ToolError(str(error)) from error
        try:
            result = await link.client.call_tool(name, dict(arguments), read_timeout_seconds=self._timeout_s)
        except MCPError as error:
            if error.code == REQUEST_TIMEOUT:
                raise ToolError(late(name, self._timeout_s).content) from error
            if not _is_lost(error):
                raise ToolError(short(error.message)) from error
            raise await self._lost(link) from error
        except (RuntimeError, ValueError) as error:  # its answer is not what it says, or not what MCP says
            raise ToolError(f"The MCP server {self.name} ran {name}, and its answer cannot be read.") from error
        except Exception as error:
            raise await self._lost(link) from error
        return told(result)

    async def _lost(self, link: _Link) -> ToolError:
        if self._link is link:
            self._link = None
        await link.leave()
        return ToolError(
            f"The MCP server {self.name} went away during this call, which may have taken effect. "
            "It is started, or reached, anew for the next call, and may have forgotten what came before."
        )

    async def _live(self) -> _Link:
        """Give the link, a new one where there is none. Raises ServerUnavailable."""
        if self._connecting is None:  # made here, on the loop that it is used on
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._pid is None:
                raise ServerUnavailable(f"The connection to the MCP server {self.name} is closed.")
            if self._link is None or self._link.is_over:
                link = _Link(self._door, self._listed_anew)
                try:
                    async with asyncio.timeout(self._timeout_s):
                        await asyncio.shield(link.ready)
                        self._tools = await self._list(link.client)
                except BaseException as error:
                    await link.leave()
                    raise self._unavailable(error) from None  # groups in groups, whose point is in the text
                self._link = link
            return self._link

    def _unavailable(self, error: BaseException) -> BaseException:
        if isinstance(error, TimeoutError):
            return ServerUnavailable(f"The MCP server {self.name} did not answer within {self._timeout_s:g} s.")
        return self._door.failure(error)

    async def _list(self, client: Client) -> Toolset:
        listed: list[Listed] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor, cache_mode="bypass")
            listed.extend(page.tools)
            cursor = page.next_cursor
            if cursor is None:
                break
        return toolset(f"the MCP server {self.name}", listed, self._choice, self._call, client.instructions or "")

    async def _listed_anew(self, client: Client) -> None:
        """Read the list again because the server says that it has changed; a list that cannot be leaves the old."""
        try:
            self._tools = await self._list(client)
        except Exception as error:
            logging.getLogger("toolkit.mcp").warning("MCP server %s: its new list is not taken: %s", self.name, error)


class _Link:
    """One client while it is connected: the task that holds it, and what it gave."""

    def __init__(self, door: Door, changed: Callable[[Client], Coroutine[Any, Any, None]]) -> None:
        self._changed = changed
        self._wish = asyncio.Event()
        self._scope = anyio.CancelScope()  # whose cancelling the client's shielded cleaning up withstands
        self._news = asyncio.Event()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the server has answered; fails with what kept it from that."""
        self.client: Client
        self._task = asyncio.create_task(self._hold(door))

    @property
    def is_over(self) -> bool:
        """Whether the client has left by itself, as it does when what carries its messages breaks."""
        return self._task.done()

    async def leave(self) -> None:
        """Have the client left, and wait for it; a server that was started has ended then."""
        self._wish.set()
        if not self.ready.done():
            self._scope.cancel()
        await asyncio.wait([self._task], timeout=LEAVE_S)
        self._scope.cancel()

    async def _hold(self, door: Door) -> None:
        try:
            with self._scope:
                await self._stay(door)
            if not self.ready.done():
                self.ready.cancel()
        except BaseException as error:
            if not self.ready.done():
                self.ready.set_exception(error)
                self.ready.exception()  # whoever waited may be gone
            elif not isinstance(error, Exception):
                raise

    async def _stay(self, door: Door) -> None:
        async with door.client(self._heard) as self.client:
            self.ready.set_result(None)
            watching = [asyncio.create_task(self._watch()), asyncio.create_task(self._listen())]
            try:
                await self._wish.wait()
            finally:
                for each in watching:
                    each.cancel()
                await asyncio.wait(watching)

    async def _heard(self, message: object) -> None:
        """Take in what the server says by itself (of protocols before 2026-07-28)."""
        if getattr(message, "method", None) == "notifications/tools/list_changed":
            self._news.set()

    async def _watch(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._changed(self.client)

    async def _listen(self) -> None:
        """Ask to be told of changes, of protocols since 2026-07-28; older servers tell without being asked."""
        from mcp_types.version import MODERN_PROTOCOL_VERSIONS

        tools = self.client.server_capabilities.tools
        if tools is None or not tools.list_changed or self.client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return
        while True:
            with suppress(Exception):  # a stream that breaks: what it would have told is asked for
                async with self.client.listen(tools_list_changed=True) as events:
                    async for _ in events:
                        self._news.set()
            await asyncio.sleep(LISTEN_AGAIN_S)
            self._news.set()


def _is_lost(error: Any) -> bool:
    """Tell whether the connection is gone, and not one call refused."""
    from mcp.types import CONNECTION_CLOSED

    return bool(error.code == CONNECTION_CLOSED or error.message == FORGOTTEN)


FORGOTTEN = "Session terminated"
"""What the official client says of a server that has forgotten us: another one, started anew."""

_open: set[Connection] = set()
_background: BackgroundLoop | None = None
_lock = threading.Lock()


def _on_loop(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Run on the loop of all connections."""
    global _background
    with _lock:
        if _background is None:
            _background = BackgroundLoop()
    return asyncio.run_coroutine_threadsafe(work, _background.loop)


@atexit.register
def _close_all() -> None:
    """End what a program that ends has left open; its servers would go on where they do not look at their stdin."""
    for each in list(_open):
        each.close()


def _forget() -> None:
    """Begin anew in a forked child, where no thread of the parent goes on."""
    global _background, _lock
    _background, _lock = None, threading.Lock()
    _open.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
