"""Talks with engines: every answer in these tests is inspected on its way, whatever the test is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.contract.doors import DOORS
from tests.contract.talk import Talk


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    """Run a test once through each door."""
    return request.param


@pytest.fixture
def talks() -> Iterator[Any]:
    """Start talks on engines of their own: `talks(door, *scripts, **settings of Engine)`."""
    with ExitStack() as stack:
        started: list[Talk] = []

        def start(door: str, *scripts: Any, **settings: Any) -> Talk:
            started.append(stack.enter_context(Talk(door, scripts, settings)))
            return started[-1]

        yield start
        found = [problem for talk in started for problem in talk.inspector.problems]
    assert found == []


@pytest.fixture
def start(talks: Any, door: str) -> Any:
    """Start a talk through each door: `start(*scripts, **settings of Engine)`."""
    return lambda *scripts, **settings: talks(door, *scripts, **settings)


@pytest.fixture
def begin(talks: Any) -> Any:
    """Start a talk through one door, where a test is about the engine and not about how it is reached."""
    return lambda *scripts, **settings: talks(DOORS[0], *scripts, **settings)
