"""`toolkit mcp`: a module's tools as an MCP server, on stdio or over HTTP."""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from toolkit import Toolset
from toolkit.cli import settings
from toolkit.cli.logs import log_to_stderr
from toolkit.cli.mistakes import STOPPED, Mistake
from toolkit.cli.port import bound
from toolkit.cli.target import TargetArgument, toolset_of

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.types import ASGIApp

__all__ = ["mcp"]

LOOPBACK = "127.0.0.1"
DRAIN_S = 1
"""How long answers under way may take to end after a signal."""


def mcp(
    target: TargetArgument,
    http: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65535, help="Serve over HTTP; 0 takes any free port.")
    ] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Any but this machine's own needs a key.")] = LOOPBACK,
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keys, one a line: clients must send one as a bearer token.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Make calls that need approval without asking.")] = False,
    log_level: Annotated[Literal["debug", "info", "warning", "error"], typer.Option()] = "warning",
) -> None:
    """Serve a module's tools as an MCP server: on stdio, or over HTTP.

    Calls that need approval are put to the person at the client; one that cannot
    ask gets none made.
    """
    if find_spec("mcp") is None:
        raise Mistake('MCP needs one more package: pip install "assistants-toolkit[mcp]"')
    if http is None and (host != LOOPBACK or api_key_file is not None):
        raise Mistake("--host and --api-key-file are of a server over HTTP: give --http PORT, such as --http 8080.")
    keys = frozenset(settings.api_keys([], api_key_file)) if http is not None else frozenset[str]()
    if not settings.is_loopback(host) and not keys:
        raise Mistake(
            f"Without a key only this machine may reach the server, and {host} is open to others.\n"
            "Give --api-key-file FILE, or leave --host out."
        )
    log_to_stderr(log_level, "text")
    if http is None:
        with _stdout_kept():
            tools = toolset_of(target)
        _serve_stdio(tools, _name(target), yes)
    else:
        _serve_http(toolset_of(target), _name(target), yes, host, http, keys)


def _name(target: str) -> str:
    """Name the server after the file or module that holds the tools."""
    return Path(re.split(r"\.py(?=:|$)|:(?=\w+$)", target)[0]).name


@contextmanager
def _stdout_kept() -> Generator[None]:
    """Send to stderr what a module prints while it is imported: stdout is the protocol's."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _server(tools: Toolset, name: str, yes: bool) -> Server[dict[str, Any]]:
    from toolkit.mcp import mcp_server

    return mcp_server(tools, name=name, approve_all=yes)


def _serve_stdio(tools: Toolset, name: str, yes: bool) -> None:
    from mcp.server.stdio import stdio_server

    server = _server(tools, name, yes)

    async def serve() -> None:
        printed = sys.stdout
        async with stdio_server() as (received, sent):
            try:
                with redirect_stdout(sys.stderr):
                    await server.run(received, sent, server.create_initialization_options())
            finally:
                printed.flush()  # while it still leads to stderr: what a tool has printed is none of the protocol's

    # A thread waits for the next line of stdin, and nothing interrupts it: Ctrl-C would be heeded after that line only.
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(_said_stopped()))
    if sys.stdin.isatty():
        typer.echo("Speaking MCP on stdin and stdout, with the client that starts this.", err=True)
        typer.echo("To serve over HTTP: --http PORT. To stop: Ctrl-C", err=True)
    asyncio.run(serve())


def _said_stopped() -> int:
    typer.echo("Stopped.", err=True)
    return STOPPED


def _serve_http(tools: Toolset, name: str, yes: bool, host: str, port: int, keys: frozenset[str]) -> None:
    import uvicorn

    server = _server(tools, name, yes)
    with bound(host, port, "--http") as listener:
        app = server.streamable_http_app(host=host, transport_security=None if keys else _names_of(host))
        serving = uvicorn.Server(
            uvicorn.Config(
                _behind(app, keys) if keys else app,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=DRAIN_S,
                server_header=False,
                proxy_headers=False,
                lifespan="on",
            )
        )

        def leave(number: int, frame: object) -> None:
            serving.should_exit = True

        for wish in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wish, leave)
        typer.echo(f"http://{_shown(host)}:{listener.getsockname()[1]}/mcp")
        typer.echo(f"  tools  {', '.join(tools)}\n  key    {'needed' if keys else 'not needed'}\n  stop   Ctrl-C")
        sys.stdout.flush()
        serving.run(sockets=[listener])


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _names_of(host: str) -> TransportSecuritySettings:
    """Answer only what was addressed to this machine, from its own pages: no web page may reach a server without a
    key by giving its own name this machine's address (DNS rebinding)."""
    from mcp.server.transport_security import TransportSecuritySettings

    names = {_shown(host), "127.0.0.1", "localhost", "[::1]"}
    return TransportSecuritySettings(
        allowed_hosts=[f"{name}:*" for name in names], allowed_origins=[f"http://{name}:*" for name in names]
    )


def _behind(app: ASGIApp, keys: frozenset[str]) -> ASGIApp:
    """Let in only requests that send one of the keys as a bearer token."""
    from starlette.responses import PlainTextResponse

    async def keyed(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            sent = dict(scope["headers"]).get(b"authorization", b"")
            if sum(hmac.compare_digest(sent, f"Bearer {key}".encode()) for key in keys) == 0:
                told = "Send a key: Authorization: Bearer KEY\n"
                await PlainTextResponse(told, 401, {"www-authenticate": "Bearer"})(scope, receive, send)
                return
        await app(scope, receive, send)

    return keyed
