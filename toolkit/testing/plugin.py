"""The pytest plugin: fixtures and options, all called toolkit_..., so that they are in nobody's way.

It is loaded with every pytest of an environment that has the package, so it imports nothing of ours before a fixture
is used, or an option given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from toolkit.engine import Engine
    from toolkit.testing.scripted import Says, ScriptedModel
    from toolkit.testing.server import ScriptedServer

__all__ = [
    "AsyncCassetteFactory",
    "CassetteFactory",
    "ServerFactory",
    "toolkit_acassette",
    "toolkit_aclient",
    "toolkit_cassette",
    "toolkit_client",
    "toolkit_engine",
    "toolkit_model",
    "toolkit_server",
]


class ServerFactory(Protocol):
    """What `toolkit_server` is: `ScriptedServer`, closed and checked when the test is over."""

    def __call__(self, *says: Says, faults: Mapping[str, str] | None = None, **settings: Any) -> ScriptedServer:
        """Make a server."""
        ...


class CassetteFactory(Protocol):
    """What `toolkit_cassette` is."""

    def __call__(self, make: Callable[[], OpenAI] = ..., *, name: str | None = None, **options: Any) -> OpenAI:
        """Give a client that is recorded, or played. `name` is the file's, `options` those of `record`."""
        ...


class AsyncCassetteFactory(Protocol):
    """What `toolkit_acassette` is."""

    def __call__(
        self, make: Callable[[], AsyncOpenAI] = ..., *, name: str | None = None, **options: Any
    ) -> AsyncOpenAI:
        """Give a client that is recorded, or played."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options, a group of their own in `pytest --help`."""
    group = parser.getgroup("toolkit", "tests of assistants (toolkit)")
    group.addoption(
        "--toolkit-update", action="store_true", help="write the snapshots of assert_schema instead of comparing them"
    )
    group.addoption(
        "--toolkit-record",
        action="store_true",
        help="record the cassettes of toolkit_cassette anew, from real services",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Hand the option on to `assert_schema`."""
    if config.getoption("--toolkit-update") or os.environ.get("TOOLKIT_TESTING_UPDATE", "0") not in ("", "0"):
        from toolkit.testing import snapshots

        snapshots.updates = True


@pytest.fixture
def toolkit_model() -> ScriptedModel:
    """Give a ScriptedModel without turns: `toolkit_model.add(...)`."""
    from toolkit.testing.scripted import ScriptedModel

    return ScriptedModel()


@pytest.fixture
def toolkit_engine(toolkit_model: ScriptedModel) -> Generator[Engine]:
    """Give an Engine in memory, whose model is `toolkit_model`."""
    from toolkit.engine import Engine

    with Engine("sqlite:///:memory:", model=toolkit_model) as engine:
        yield engine


@pytest.fixture
def toolkit_client(toolkit_engine: Engine) -> Generator[OpenAI]:
    """Give an `openai.OpenAI` of `toolkit_engine`."""
    with toolkit_engine.client() as client:
        yield client


@pytest.fixture
def toolkit_aclient(toolkit_engine: Engine) -> AsyncOpenAI:
    """Give an `openai.AsyncOpenAI` of `toolkit_engine`; it needs no closing."""
    return toolkit_engine.aclient()


@pytest.fixture
def toolkit_server() -> Generator[ServerFactory]:
    """Give what makes a ScriptedServer; when the test is over, all its turns and faults must have been used."""
    from toolkit.testing.server import ScriptedServer

    servers: list[ScriptedServer] = []
    with ExitStack() as stack:

        def make(*says: Says, faults: Mapping[str, str] | None = None, **settings: Any) -> ScriptedServer:
            servers.append(stack.enter_context(ScriptedServer(*says, faults=faults, **settings)))
            return servers[-1]

        yield make
    for server in servers:
        server.assert_played()


@pytest.fixture
def toolkit_cassette(request: pytest.FixtureRequest) -> Generator[CassetteFactory]:
    """Give what makes a client that plays `cassettes/TEST.jsonl` beside the test.

    With --toolkit-record it is your own client, recorded: `OpenAI()`, or what the function gives that it is handed.
    """
    from openai import OpenAI

    from toolkit.testing.cassettes import record, replay

    with ExitStack() as stack:

        def give(make: Callable[[], OpenAI] = OpenAI, *, name: str | None = None, **options: Any) -> OpenAI:
            path = _tape(request, name)
            return stack.enter_context(
                record(make(), path, **options) if _records(request) else replay(path, **options)
            )

        yield give


@pytest.fixture
def toolkit_acassette(request: pytest.FixtureRequest) -> AsyncCassetteFactory:
    """Give what makes a client as `toolkit_cassette` does, for `AsyncOpenAI`; close it as you would your own."""
    from openai import AsyncOpenAI

    from toolkit.testing.cassettes import areplay, record

    def give(make: Callable[[], AsyncOpenAI] = AsyncOpenAI, *, name: str | None = None, **options: Any) -> AsyncOpenAI:
        path = _tape(request, name)
        return record(make(), path, **options) if _records(request) else areplay(path, **options)

    return give


def _records(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--toolkit-record"))


def _tape(request: pytest.FixtureRequest, name: str | None) -> Path:
    stem = name or re.sub(r"[^A-Za-z0-9_.-]+", "-", request.node.name).strip("-")
    return Path(request.path).parent / "cassettes" / f"{stem}.jsonl"
