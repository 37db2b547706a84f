"""Spans of one test, kept in memory, and what it takes to have some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.testing import ways
from tests.testing.ways import WAYS
from toolkit import Result, telemetry


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


@pytest.fixture(params=WAYS)
def go(request: pytest.FixtureRequest) -> Go:
    """Run against a server in each of the four ways."""
    return partial(ways.go, request.param)
