from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from toolkit.engine.model import CallBegan, CallPiece, Delta, Ended, ModelRequest, Text, Usage
from toolkit.engine.offline import Offline


def complete(text: str, tools: str | None = None, **options: Any) -> list[Delta]:
    request = ModelRequest(
        "offline", [json.dumps({"role": "user", "content": text}, ensure_ascii=False)], tools, options
    )

    async def main() -> list[Delta]:
        return [delta async for delta in Offline(lambda: date(2026, 5, 1)).complete(request)]

    return asyncio.run(main())


def ended(deltas: list[Delta]) -> Ended:
    assert isinstance(deltas[-1], Ended)
    return deltas[-1]


def test_text_comes_in_words() -> None:
    deltas = complete("Tell me a joke")
    texts = [delta.value for delta in deltas if isinstance(delta, Text)]
    assert len(texts) > 20
    assert "".join(texts).startswith("This is the offline model.")
    assert json.loads(ended(deltas).message) == {"role": "assistant", "content": "".join(texts)}
    assert (ended(deltas).reason, ended(deltas).calls) == ("stop", ())


def test_calls_are_streamed_and_handed_over_alike(toolsets: Mapping[str, str]) -> None:
    deltas = complete("weather in Seoul and São Paulo", toolsets["travel"])
    calls = ended(deltas).calls
    assert [json.loads(call.arguments)["city"] for call in calls] == ["Seoul", "São Paulo"]
    assert [delta for delta in deltas if isinstance(delta, CallBegan)] == [
        CallBegan(index, call.id, "get_weather") for index, call in enumerate(calls)
    ]
    for index, call in enumerate(calls):
        pieces = [delta.arguments for delta in deltas if isinstance(delta, CallPiece) and delta.index == index]
        assert "".join(pieces) == call.arguments
        assert len(pieces) > 1
    message = json.loads(ended(deltas).message)
    assert message["content"] is None
    assert [each["id"] for each in message["tool_calls"]] == [call.id for call in calls]
    assert [each["function"]["arguments"] for each in message["tool_calls"]] == [call.arguments for call in calls]


def test_it_is_deterministic_and_ids_are_not_repeated(toolsets: Mapping[str, str]) -> None:
    once = complete("weather in Seoul and Paris", toolsets["travel"])
    assert once == complete("weather in Seoul and Paris", toolsets["travel"])
    other = complete("the weather in Seoul and Paris", toolsets["travel"])
    ids = [call.id for deltas in (once, other) for call in ended(deltas).calls]
    assert len(set(ids)) == 4
    assert all(len(call_id) == 29 and call_id.startswith("call_") for call_id in ids)


def test_usage_is_an_estimate() -> None:
    deltas = complete("é" * 10)
    size = len(json.dumps({"role": "user", "content": ""})) + 20
    text = json.loads(ended(deltas).message)["content"]
    assert ended(deltas).usage == Usage(-(-size // 4), -(-len(text.encode()) // 4))


def test_tokens_are_limited(toolsets: Mapping[str, str]) -> None:
    deltas = complete("Hello", max_completion_tokens=10)
    text = "".join(delta.value for delta in deltas if isinstance(delta, Text))
    assert text == "This is the offline model. It is not a"
    assert ended(deltas).reason == "length"
    assert json.loads(ended(deltas).message)["content"] == text
    deltas = complete("weather in Seoul", toolsets["travel"], max_completion_tokens=5)
    assert deltas == [ended(deltas)]
    assert (ended(deltas).reason, ended(deltas).calls) == ("length", ())
    assert ended(complete("weather in Seoul", toolsets["travel"], max_completion_tokens=500)).calls


def test_the_day_is_todays_by_default() -> None:
    assert Offline()._today() == date.today()


def test_it_knows_its_name_and_closes() -> None:
    async def main() -> None:
        model = Offline()
        assert await model.names() == ["offline"]
        await model.aclose()

    asyncio.run(main())


def test_it_may_be_left_early() -> None:
    async def main() -> None:
        deltas = Offline().complete(ModelRequest("offline", ['{"role":"user","content":"Hi"}']))
        assert isinstance(await anext(deltas), Text)
        await deltas.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(deltas)

    asyncio.run(main())


def test_only_the_last_request_is_read() -> None:
    messages = ["no JSON at all"] * 5 + ['{"role":"assistant","content":"x"}', '{"role":"user","content":"Hi"}']

    async def main() -> None:
        async for _ in Offline().complete(ModelRequest("offline", messages)):
            pass

    asyncio.run(main())
