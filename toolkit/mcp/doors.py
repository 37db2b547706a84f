"""How an MCP server is come by: a command that is started, or a URL that is reached."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import urlsplit

from toolkit.errors import DefinitionError, ServerUnavailable, ToolkitError
from toolkit.mcp.stderr import Stderr

if TYPE_CHECKING:
    import httpx2
    from mcp import Client
    from mcp.client import Transport

__all__ = ["Door", "door_of"]


class Heard(Protocol):
    """Takes in what the server says by itself."""

    async def __call__(self, message: object) -> None: ...


READ_S = 300.0
"""How long a stream of events may be silent."""
_BEFORE_WHAT: Final = frozenset({"-m", "-y", "--yes"})
"""Options that what is run comes right after, of python and npx."""


class Door(Protocol):
    """A way to a server."""

    @property
    def name(self) -> str:
        """What the server is called in messages."""
        ...

    def client(self, heard: Heard) -> Client:
        """Make a client, which connects when it is entered; once."""
        ...

    def failure(self, error: BaseException) -> BaseException:
        """Say what kept the client from connecting."""
        ...


def door_of(
    server: str,
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None,
    cwd: str | os.PathLike[str] | None,
    headers: Mapping[str, str] | None,
    auth: httpx2.Auth | None,
) -> Door:
    """Tell a URL from a command. Raises DefinitionError for options of the other."""
    if server.startswith(("http://", "https://")):
        if arguments or env is not None or cwd is not None:
            raise DefinitionError("arguments, env= and cwd= are of a command; an MCP server at a URL has none")
        return Url(server, headers or {}, auth)
    if headers is not None or auth is not None:
        raise DefinitionError("headers= and auth= are of a URL, https://...; a command gets variables, env=")
    return Command(server, tuple(arguments), env or {}, cwd)


@dataclass(frozen=True, slots=True)
class Command:
    """A program that speaks MCP over its standard input and output."""

    command: str
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str | os.PathLike[str] | None

    @property
    def name(self) -> str:
        """The program, and the first argument that says what it runs: nothing that may be secret."""
        program = PurePath(self.command).name
        what = next((each for before, each in pairwise(("", *self.arguments)) if _says_what(before, each)), None)
        return f"{program} {PurePath(what).name}" if what else program

    def client(self, heard: Heard) -> Client:
        """Start it on entering."""
        return _client(self._streams(), heard)

    @asynccontextmanager
    async def _streams(self) -> AsyncGenerator[Any]:
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        cwd = None if self.cwd is None else str(self.cwd)
        started = StdioServerParameters(command=self.command, args=list(self.arguments), env=dict(self.env), cwd=cwd)
        stderr = Stderr(self.name)
        try:
            async with stdio_client(started, errlog=stderr.end) as streams:
                stderr.end.close()  # the child has one of its own
                yield streams
        except Exception as error:
            if last := stderr.last():
                error.add_note(last)
            raise
        finally:
            stderr.end.close()

    def failure(self, error: BaseException) -> BaseException:
        """Say what kept it from starting, with the last that it wrote to stderr."""
        if isinstance(error, ToolkitError) or not isinstance(error, Exception):
            return error
        if isinstance(error, FileNotFoundError):
            return ServerUnavailable(
                f"There is no program {self.command} to start as an MCP server, or no folder cwd=."
            )
        if isinstance(error, OSError):
            return ServerUnavailable(f"{self.command} cannot be started as an MCP server: {error.strerror}.")
        last = next(iter(getattr(error, "__notes__", ())), "")
        wrote = f" It wrote: {last}" if last else ""
        return ServerUnavailable(f"{self.name} ended, or does not speak MCP ({_said(error)}).{wrote}")


@dataclass(frozen=True, slots=True)
class Url:
    """A server that speaks MCP over HTTP."""

    url: str
    headers: Mapping[str, str]
    auth: httpx2.Auth | None

    @property
    def name(self) -> str:
        """The host and the path, without what may be secret."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"

    def client(self, heard: Heard) -> Client:
        """Reach it on entering."""
        return _client(self._streams(), heard)

    @asynccontextmanager
    async def _streams(self) -> AsyncGenerator[Any]:
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        timeout = httpx2.Timeout(30.0, read=READ_S)
        async with (
            httpx2.AsyncClient(headers=dict(self.headers), auth=self.auth, timeout=timeout) as http_client,
            streamable_http_client(self.url, http_client=http_client) as streams,
        ):
            yield streams

    def failure(self, error: BaseException) -> BaseException:
        """Say what kept us from reaching it."""
        if isinstance(error, ToolkitError) or not isinstance(error, Exception):
            return error
        return ServerUnavailable(f"No MCP server answers at {self.name}: {_said(error)}.")


def _says_what(before: str, argument: str) -> bool:
    """Whether an argument may be shown to the model: an option's value, or an address, may hold a key."""
    is_value = before.startswith("-") and before not in _BEFORE_WHAT
    return not (is_value or argument.startswith("-") or "=" in argument or "://" in argument)


def _client(transport: Transport, heard: Heard) -> Client:
    from mcp import Client
    from mcp.types import Implementation

    from toolkit import __version__

    # The library logs with tracebacks what a server says wrongly; it is for those who ask for logs.
    logging.getLogger("mcp").addHandler(logging.NullHandler())
    return Client(
        transport, message_handler=heard, client_info=Implementation(name="assistants-toolkit", version=__version__)
    )


def _said(error: BaseException) -> str:
    """Say an exception in short: of a group, its first."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return f"{type(error).__name__}: {error}"[:300].rstrip(". ") if str(error) else type(error).__name__
