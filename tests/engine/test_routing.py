from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest

from toolkit.engine.model import Delta, Ended, ModelError, ModelRequest
from toolkit.engine.offline import Offline
from toolkit.engine.routing import Models


class Listed:
    """A model that knows some names, or cannot tell them."""

    def __init__(self, *names: str, broken: bool = False) -> None:
        self._names = names
        self._broken = broken
        self.closed = False

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        yield Ended("stop")

    async def names(self) -> Sequence[str]:
        if self._broken:
            raise ModelError("No.")
        return self._names

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("names", "asked", "used"),
    [
        ({}, "gpt-4o", "gpt-4o"),
        ({"gpt-4o": "llama3"}, "gpt-4o", "llama3"),
        ({"gpt-4o": "llama3"}, "gpt-4", "gpt-4"),
        ({"*": "llama3"}, "gpt-4o", "llama3"),
        ({"*": "llama3", "gpt-4o": "qwen"}, "gpt-4o", "qwen"),
        ({"gpt-4o": "llama3", "llama3": "qwen"}, "gpt-4o", "llama3"),
    ],
)
def test_names_are_mapped_once(names: Mapping[str, str], asked: str, used: str) -> None:
    endpoint = Listed()
    assert Models(endpoint, names).pick(asked) == (endpoint, used)


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        ({}, "offline"),
        ({"*": "llama3"}, "offline"),
        ({"offline": "llama3"}, "offline"),
        ({"gpt-4o": "offline"}, "gpt-4o"),
    ],
)
def test_offline_is_always_the_offline_model(names: Mapping[str, str], asked: str) -> None:
    for endpoint in (Listed(), None):
        model, used = Models(endpoint, names).pick(asked)
        assert isinstance(model, Offline)
        assert used == "offline"


def test_everything_may_be_offline() -> None:
    model, used = Models(None, {"*": "offline"}).pick("gpt-4o")
    assert isinstance(model, Offline)
    assert used == "offline"


def test_without_an_endpoint_it_says_how_to_set_one() -> None:
    with pytest.raises(ModelError) as error:
        Models(None, {"*": "llama3"}).pick("gpt-4o")
    assert not error.value.retry
    for part in ("'gpt-4o'", "'offline'", "--model-url URL --model NAME", "TOOLKIT_MODEL_URL", "Engine(model_url=...)"):
        assert part in error.value.message


@pytest.mark.parametrize(
    ("endpoint", "names", "listed"),
    [
        (None, {}, ["offline"]),
        (None, {"gpt-4o": "offline"}, ["gpt-4o", "offline"]),
        (Listed("a", "b"), {}, ["a", "b", "offline"]),
        (Listed("a", "b"), {"gpt-4o": "a", "*": "b"}, ["gpt-4o", "a", "b", "offline"]),
        (Listed("offline", "a"), {"a": "b"}, ["a", "offline"]),
        (Listed(broken=True), {"gpt-4o": "a", "*": "b"}, ["gpt-4o", "a", "b", "offline"]),
    ],
)
def test_what_can_be_asked_for(endpoint: Listed | None, names: Mapping[str, str], listed: list[str]) -> None:
    assert asyncio.run(Models(endpoint, names).names()) == listed


def test_closing_closes_the_endpoint() -> None:
    endpoint = Listed()
    asyncio.run(Models(endpoint).aclose())
    assert endpoint.closed
    asyncio.run(Models(None).aclose())
