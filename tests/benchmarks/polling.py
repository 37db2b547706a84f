"""The SDK's own `create_and_poll`, untouched: what it adds to a model that takes 150 ms."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import httpx2
from openai import OpenAI

from tests.benchmarks.servers import engine_and_model
from tests.benchmarks.table import Row, Scale, interleaved, ms
from tests.benchmarks.talking import QUESTION

__all__ = ["measure"]

_MODEL_S = 0.15


def measure(scale: Scale) -> Iterator[Row]:
    warnings.simplefilter("ignore", DeprecationWarning)
    with (
        engine_and_model() as served,
        OpenAI(base_url=served.engine_url, api_key="none") as client,
        httpx2.Client(timeout=60) as model,
    ):
        assistant = client.beta.assistants.create(model=f"wait-{_MODEL_S * 1000:.0f}")
        threads = [client.beta.threads.create(messages=[QUESTION]).id for _ in range(scale.times(20) + 1)]  # type: ignore[list-item]  # a literal

        def polled() -> None:
            run = client.beta.threads.runs.create_and_poll(thread_id=threads.pop(), assistant_id=assistant.id)
            assert run.status == "completed"

        def direct() -> None:
            body = {"model": assistant.model, "messages": [QUESTION], "stream": True}
            model.post(f"{served.model_url}/chat/completions", json=body).raise_for_status()

        polled()
        polled_s, direct_s = interleaved(polled, direct, rounds=len(threads))
    added_s = polled_s - direct_s
    yield Row("unmodified create_and_poll, added a leg", f"{ms(polled_s)} / {ms(direct_s)}", added_s * 1e3, 50, " ms")
