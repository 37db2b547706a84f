"""Spans of one test, kept in memory, and what it takes to have some."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from toolkit import Result, Toolset, run, stream, telemetry
from toolkit.testing import ScriptedServer


class Spans:
    """A provider of its own, and what came of it."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("test")

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended, in that order."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        [span] = self.named(name)
        return span

    def tree(self) -> list[str]:
        """All spans as `grandparent > parent > name`, in alphabetical order."""
        by_id = {span.context.span_id: span for span in self.all if span.context}

        def path(span: ReadableSpan) -> str:
            above = by_id.get(span.parent.span_id) if span.parent else None
            return f"{path(above)} > {span.name}" if above else span.name

        return sorted(map(path, self.all))

    def text(self) -> str:
        """All that the spans say."""
        return "\n".join(span.to_json() for span in self.all)


@pytest.fixture
def spans() -> Iterator[Spans]:
    """Instrument with a provider of this test's."""
    spans = Spans()
    telemetry.instrument(tracer_provider=spans.provider)
    yield spans
    telemetry.uninstrument()
    spans.provider.shutdown()


Go = Callable[..., Result]


@pytest.fixture(params=["run", "run, awaiting", "stream", "stream, awaiting"])
def go(request: pytest.FixtureRequest) -> Go:
    """Run against a server in each of the four ways."""
    streamed, awaits = "stream" in request.param, "awaiting" in request.param

    def blocking(server: ScriptedServer, tools: Toolset | None, **options: Any) -> Result:
        with server.client() as client:
            if not streamed:
                return run(client, tools, **options)
            with stream(client, tools, **options) as events:
                list(events)
                return events.result

    async def awaiting(server: ScriptedServer, tools: Toolset | None, **options: Any) -> Result:
        async with server.aclient() as client:
            if not streamed:
                return await run(client, tools, **options)
            async with stream(client, tools, **options) as events:
                [_ async for _ in events]
                return events.result

    def go(server: ScriptedServer, tools: Toolset | None = None, **options: Any) -> Result:
        options = {"assistant_id": server.assistant(tools), "input": "Weather?", **options}
        return asyncio.run(awaiting(server, tools, **options)) if awaits else blocking(server, tools, **options)

    return go
