from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest

from toolkit.engine.model import Delta, Ended, ModelError, ModelRequest, Windowed
from toolkit.engine.offline import Offline
from toolkit.engine.routing import Models
from toolkit.errors import EngineError


class Listed:
    """A model that knows some names, or cannot tell them."""

    def __init__(self, *names: str, broken: bool = False) -> None:
        self._names = names
        self._broken = broken
        self.closed = 0

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        yield Ended("stop")

    async def names(self) -> Sequence[str]:
        if self._broken:
            raise ModelError("No.")
        return self._names

    async def aclose(self) -> None:
        self.closed += 1


class Sized(Listed):
    """A model that knows its windows too."""

    def window(self, name: str) -> int | None:
        return {"big": 1000, "small": 10}.get(name)


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


def test_closing_closes_each_endpoint_once() -> None:
    default, local, azure = Listed(), Listed(), Listed()
    asyncio.run(Models(default, {}, {"local": local, "azure": azure}).aclose())
    assert [each.closed for each in (default, local, azure)] == [1, 1, 1]
    only = Listed()
    asyncio.run(Models(None, {}, {"default": only}).aclose())
    assert only.closed == 1
    asyncio.run(Models(None).aclose())


LOCAL, AZURE, HERE = Listed("llama3"), Listed(broken=True), Listed("a", "meta/a")
BOTH = {"local": LOCAL, "azure": AZURE}


@pytest.mark.parametrize(
    ("names", "asked", "endpoint", "used"),
    [
        ({"gpt-4o": "local/llama3"}, "gpt-4o", LOCAL, "llama3"),
        ({"*": "azure/meta/llama"}, "gpt-4o", AZURE, "meta/llama"),
        ({"*": "azure/x", "gpt-4o": "y"}, "gpt-4o", HERE, "y"),
        ({}, "local/llama3", LOCAL, "llama3"),
        ({"local/llama3": "azure/x"}, "local/llama3", AZURE, "x"),
        ({}, "meta-llama/llama-3", HERE, "meta-llama/llama-3"),
        ({}, "local", HERE, "local"),
        ({}, "local/", HERE, "local/"),
        ({}, "Local/x", HERE, "Local/x"),
    ],
)
def test_endpoints_that_have_names(names: Mapping[str, str], asked: str, endpoint: Listed, used: str) -> None:
    assert Models(HERE, names, BOTH).pick(asked) == (endpoint, used)


def test_which_endpoint_answers_for_names_of_no_other() -> None:
    assert Models(None, {}, {"local": LOCAL}).pick("org/llama3") == (LOCAL, "org/llama3")
    assert Models(None, {}, {"default": AZURE, "local": LOCAL}).pick("llama3") == (AZURE, "llama3")
    models = Models(None, {"*": "locl/llama3"}, BOTH)
    assert models.pick("azure/x") == (AZURE, "x")
    with pytest.raises(ModelError) as error:
        models.pick("gpt-4o")
    for part in ("'locl/llama3'", "local/MODEL, azure/MODEL", "--model-map", "[models]", "--config", "'default'"):
        assert part in error.value.message


@pytest.mark.parametrize("name", ["offline", "", "a/b", "a b", "*", "-a", "ö"])
def test_names_that_no_endpoint_can_have(name: str) -> None:
    with pytest.raises(EngineError, match="No endpoint can be called"):
        Models(None, {}, {name: LOCAL})


def test_there_is_one_default() -> None:
    with pytest.raises(EngineError, match="Leave one out, or rename it"):
        Models(HERE, {}, {"default": LOCAL})


@pytest.mark.parametrize(
    ("default", "names", "endpoints", "listed"),
    [
        (HERE, {}, {"local": LOCAL}, ["a", "meta/a", "local/llama3", "offline"]),
        (HERE, {"x": "azure/y"}, BOTH, ["x", "a", "meta/a", "local/llama3", "azure/y", "offline"]),
        (None, {"x": "local/llama3"}, {"local": LOCAL}, ["x", "llama3", "offline"]),
        (None, {}, {"azure": AZURE}, ["offline"]),
    ],
)
def test_what_can_be_asked_of_several(
    default: Listed | None, names: Mapping[str, str], endpoints: Mapping[str, Listed], listed: list[str]
) -> None:
    assert asyncio.run(Models(default, names, endpoints).names()) == listed


def test_windows_are_those_of_the_model_that_answers() -> None:
    models = Models(Listed("big"), {"*": "local/big", "gpt-4": "local/none"}, {"local": Sized()})
    assert [models.window(name) for name in ("x", "local/small", "gpt-4", "offline")] == [1000, 10, None, None]
    assert Models(Listed()).window("big") is None
    assert Models(None).window("big") is None
    assert isinstance(Sized(), Windowed)
    assert not isinstance(Listed(), Windowed)
