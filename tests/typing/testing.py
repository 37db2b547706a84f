"""Only type-checked, by mypy and pyright: what users' tests are written with."""

from __future__ import annotations

from typing import Any, assert_type

from openai import AsyncOpenAI, OpenAI

from toolkit import Toolset
from toolkit.engine import Engine
from toolkit.engine.model import Model, ModelCall
from toolkit.testing import (
    Asked,
    Ended,
    ModelError,
    ScriptedModel,
    ScriptedServer,
    areplay,
    assert_schema,
    call,
    record,
    replay,
)


def answer(asked: Asked) -> str:
    assert_type(asked.outputs, list[str])
    assert_type(asked.messages, list[dict[str, Any]])
    return asked.text


def models() -> Model:
    assert_type(call("f", city="Seoul"), ModelCall)
    ScriptedModel("Hi", call("f"), ["Hel", 0.1, "lo"], [call("f"), call("g", "{")], ModelError("no"), answer)
    return ScriptedModel(["Cut", Ended("length")], lambda asked: call("f", city=asked.text))


def engines() -> None:
    Engine("sqlite:///:memory:", model=models())
    with ScriptedServer("Hi", answer, faults={"submit": "429 drop"}, run_expires_s=60) as server:
        assert_type(server, ScriptedServer)
        assert_type(server.client(), OpenAI)
        assert_type(server.aclient(), AsyncOpenAI)
        assert_type(server.assistant(Toolset(), instructions="Be kind."), str)


def cassettes(client: OpenAI, aclient: AsyncOpenAI) -> None:
    assert_type(record(client, "a.jsonl", scrub=["secret"], ignore=["metadata"]), OpenAI)
    assert_type(record(aclient, "a.jsonl"), AsyncOpenAI)
    assert_type(replay("a.jsonl"), OpenAI)
    assert_type(areplay("a.jsonl"), AsyncOpenAI)
    assert_schema(Toolset(), "a.json")
