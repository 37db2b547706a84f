"""Fixtures: a scripted server, and both worlds, so that every test of a run is written once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.runs.engines import DOORS, Start, worlds
from tests.runs.scripted import Answers, Host
from toolkit import Event, Result, Toolset, run, stream


def blocking(url: str) -> OpenAI:
    # Without certificates to load, which takes longer than most of these tests.
    return OpenAI(base_url=url, api_key="k", http_client=httpx2.Client(verify=False))


def awaiting(url: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=url, api_key="k", http_client=httpx2.AsyncClient(verify=False))


class Blocking:
    """`run` and `stream` with an OpenAI."""

    def run(self, url: str, tools: Toolset | None = None, **arguments: Any) -> Result:
        with blocking(url) as client:
            return run(client, tools, **arguments)

    def events(
        self, url: str, tools: Toolset | None = None, until: Callable[[Event], bool] = lambda _: False, **arguments: Any
    ) -> list[Event]:
        """Iterate; leave the block at the first event for which `until` holds."""
        seen = []
        with blocking(url) as client, stream(client, tools, **arguments) as events:
            for event in events:
                seen.append(event)
                if until(event):
                    break
        return seen

    def text(self, url: str, tools: Toolset | None = None, **arguments: Any) -> tuple[list[str], Result]:
        with blocking(url) as client, stream(client, tools, **arguments) as events:
            return list(events.text), events.result


class Awaiting:
    """`run` and `stream` with an AsyncOpenAI."""

    def run(self, url: str, tools: Toolset | None = None, **arguments: Any) -> Result:
        async def main() -> Result:
            async with awaiting(url) as client:
                return await run(client, tools, **arguments)

        return asyncio.run(main())

    def events(
        self, url: str, tools: Toolset | None = None, until: Callable[[Event], bool] = lambda _: False, **arguments: Any
    ) -> list[Event]:
        async def main() -> list[Event]:
            seen = []
            async with (
                awaiting(url) as client,
                stream(client, tools, **arguments) as events,
            ):
                async for event in events:
                    seen.append(event)
                    if until(event):
                        break
            return seen

        return asyncio.run(main())

    def text(self, url: str, tools: Toolset | None = None, **arguments: Any) -> tuple[list[str], Result]:
        async def main() -> tuple[list[str], Result]:
            async with (
                awaiting(url) as client,
                stream(client, tools, **arguments) as events,
            ):
                return [piece async for piece in events.text], events.result

        return asyncio.run(main())


World = Blocking | Awaiting


@pytest.fixture(params=[Blocking, Awaiting], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    return request.param()


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


@pytest.fixture
def serve(host: Host) -> Iterator[Callable[[Answers], str]]:
    """Put a service on a port of its own and give its base URL."""
    servers = []

    def begin(service: Answers) -> str:
        server, url = host.serve(service)
        servers.append(server)
        return url

    yield begin
    for server in servers:
        host.end(server)


@pytest.fixture(params=DOORS)
def start(request: pytest.FixtureRequest, tmp_path: Path, tools: Toolset) -> Iterator[Start]:
    """Start engines whose assistants have the file's own `tools`."""
    yield from worlds(request.param, tmp_path, tools)
