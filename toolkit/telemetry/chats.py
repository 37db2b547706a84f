"""The spans of the engine: `chat` for each call of a model, below the run that asked for it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import perf_counter

from opentelemetry import context as contexts
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from toolkit.engine.listening import asked_by
from toolkit.engine.model import Delta, Ended, Model, ModelError, ModelRequest
from toolkit.engine.objects.runs import Run
from toolkit.telemetry import content, names
from toolkit.telemetry.failing import fail

__all__ = ["TracedModel"]


class TracedModel:
    """A `Model` that passes on what another says to a run, within spans."""

    def __init__(self, tracer: Tracer, captures: bool, model: Model, run: Run) -> None:
        self._tracer, self._captures, self._model, self._run = tracer, captures, model, run

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        """Stream one completion. Raises ModelError."""
        # What the request said; else what is current, which is what our own process began the run under.
        parent = TraceContextTextMapPropagator().extract(asked_by(), contexts.get_current())
        span = self._tracer.start_span(
            f"{names.CHAT} {request.model}", context=parent, kind=SpanKind.CLIENT, attributes=self._about(request)
        )
        inside = set_span_in_context(span, parent)
        began, is_first = perf_counter(), True
        try:
            async with aclosing(self._model.complete(request)) as deltas:
                while (delta := await _next(deltas, inside)) is not None:
                    if is_first:
                        span.set_attribute(names.FIRST_CHUNK_S, perf_counter() - began)
                        is_first = False
                    if isinstance(delta, Ended):
                        self._end(span, delta)
                    yield delta
        except ModelError as error:
            fail(span, error, error.code)
            raise
        except Exception as error:
            fail(span, error)
            raise
        finally:
            span.end()

    async def names(self) -> Sequence[str]:
        """Give the other's names."""
        return await self._model.names()

    async def aclose(self) -> None:
        """Close the other."""
        await self._model.aclose()

    def _about(self, request: ModelRequest) -> dict[str, AttributeValue]:
        options = request.options
        found: dict[str, AttributeValue] = {
            names.OPERATION: names.CHAT,
            names.PROVIDER: names.OPENAI,
            names.REQUEST_MODEL: request.model,
            names.REQUEST_STREAM: True,
            names.CONVERSATION_ID: self._run.thread,
            names.AGENT_ID: self._run.assistant,
            names.RUN_ID: self._run.id,
        }
        for name, option in (
            (names.REQUEST_TEMPERATURE, "temperature"),
            (names.REQUEST_TOP_P, "top_p"),
            (names.REQUEST_MAX_TOKENS, "max_completion_tokens"),
        ):
            if options.get(option) is not None:
                found[name] = options[option]
        if "response_format" in options:
            found[names.OUTPUT_TYPE] = "json"
        if self._captures:
            found |= content.asked(request.messages, request.tools)
        return found

    def _end(self, span: Span, ended: Ended) -> None:
        reason = "tool_calls" if ended.calls else ended.reason
        span.set_attribute(names.FINISH_REASONS, [reason])
        if ended.usage is not None:
            cached, reasoned = (
                ended.usage.prompt_details.get("cached_tokens"),
                ended.usage.completion_details.get("reasoning_tokens"),
            )
            span.set_attribute(names.INPUT_TOKENS, ended.usage.prompt_tokens)
            span.set_attribute(names.OUTPUT_TOKENS, ended.usage.completion_tokens)
            if isinstance(cached, int):
                span.set_attribute(names.CACHED_TOKENS, cached)
            if isinstance(reasoned, int):
                span.set_attribute(names.REASONING_TOKENS, reasoned)
        if self._captures and ended.message:
            span.set_attributes(content.said([json.loads(ended.message)], reason))


async def _next(deltas: AsyncGenerator[Delta, None], inside: contexts.Context) -> Delta | None:
    """Let the model go on, our span being current meanwhile, and not while others have its delta."""
    token = contexts.attach(inside)
    try:
        return await anext(deltas, None)
    finally:
        contexts.detach(token)
