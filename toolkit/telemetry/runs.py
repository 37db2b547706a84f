"""The spans of the run loop: `invoke_agent` for a run, and `execute_tool` below it for each call.

The run's span is nobody's current one: whoever iterates over a stream does so between its events. A call's span is
current where the function runs, so that the function's own spans nest below it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from openai import AsyncOpenAI, OpenAI
from opentelemetry import context as contexts
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from toolkit.errors import ArgumentsInvalid, CallSignal, RunError, RunFailed
from toolkit.runs.events import CallFinished, Event, RunEnded
from toolkit.runs.job import Job
from toolkit.runs.result import Result
from toolkit.telemetry import content, names
from toolkit.telemetry.failing import fail
from toolkit.tools.calls import Call, FinishedCall

__all__ = ["RunSpan"]


class RunSpan:
    """A `Listener` of one run."""

    def __init__(self, tracer: Tracer, captures: bool, client: OpenAI | AsyncOpenAI, job: Job) -> None:
        self._tracer, self._captures, self._toolset = tracer, captures, job.gate.toolset
        self._calls: dict[str, Span] = {}
        self._lock = threading.Lock()
        self._result: Result | None = None
        self._span = tracer.start_span(
            names.INVOKE_AGENT,
            kind=SpanKind.CLIENT,
            attributes={names.OPERATION: names.INVOKE_AGENT, names.PROVIDER: names.OPENAI, **_place(client)},
        )

    @property
    def headers(self) -> Mapping[str, str]:
        """The trace context, so that a server can put its own spans below ours."""
        headers: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(headers, context=set_span_in_context(self._span))
        return headers

    def heard(self, event: Event) -> None:
        """End the span of a call that nobody waits for any more, and note how the run ended."""
        if isinstance(event, CallFinished):
            span = self._calls.pop(event.finished.call.id, None)
            if span is not None:
                self._end(span, event.finished)
        elif isinstance(event, RunEnded):
            self._result = event.result

    @contextmanager
    def around(self, call: Call) -> Generator[Callable[[FinishedCall], object]]:
        """Let a call happen within a span of its own, in the context where it is made."""
        parent = set_span_in_context(self._span)
        span = self._tracer.start_span(
            f"{names.EXECUTE_TOOL} {call.name}", context=parent, attributes=self._about(call)
        )
        self._calls[call.id] = span
        token = contexts.attach(set_span_in_context(span, parent))
        came: list[FinishedCall | BaseException] = []
        try:
            yield came.append
        except BaseException as error:
            came.append(error)
            raise
        finally:
            contexts.detach(token)
            self._end(span, came[0] if came else None)

    def ended(self, error: BaseException | None) -> None:
        """End the run's span."""
        result = self._result
        if isinstance(error, RunError):
            result = error.result
        if result is not None and self._span.is_recording():
            self._span.set_attributes(self._left(result))
        if error is not None and not isinstance(error, GeneratorExit):  # who leaves a stream early has not failed
            fail(self._span, error, error.code if isinstance(error, RunFailed) else None)
        self._span.end()

    def _about(self, call: Call) -> dict[str, AttributeValue]:
        found: dict[str, AttributeValue] = {
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL_NAME: call.name,
            names.TOOL_CALL_ID: call.id,
            names.TOOL_TYPE: names.FUNCTION,
        }
        tool = self._toolset.find(call.name)
        if tool is not None and tool.description:
            found[names.TOOL_DESCRIPTION] = tool.description
        if self._captures:
            found[names.TOOL_ARGUMENTS] = call.arguments
        return found

    def _end(self, span: Span, came: FinishedCall | BaseException | None) -> None:
        """End a call's span, once: with its call, or when nobody waits for that any more."""
        with self._lock:
            if not span.is_recording():
                return
            error = came.error if isinstance(came, FinishedCall) else came
            if isinstance(came, FinishedCall) and self._captures:
                span.set_attribute(names.TOOL_RESULT, came.output.content)
            if error is not None:
                # What a tool says to the model on purpose, or what the model said wrongly, is content.
                hides = isinstance(error, CallSignal | ArgumentsInvalid) and not self._captures
                fail(span, error, hides=hides)
            span.end()

    def _left(self, result: Result) -> dict[str, AttributeValue]:
        run, found = result.run_json, dict[str, AttributeValue]()
        usage: Mapping[str, Any] = result.usage_json or {}
        for name, value in (
            (names.AGENT_ID, run.get("assistant_id")),
            (names.CONVERSATION_ID, run.get("thread_id") or None),
            (names.REQUEST_MODEL, run.get("model")),
            (names.REQUEST_TEMPERATURE, run.get("temperature")),
            (names.REQUEST_TOP_P, run.get("top_p")),
            (names.INPUT_TOKENS, usage.get("prompt_tokens")),
            (names.OUTPUT_TOKENS, usage.get("completion_tokens")),
            (names.RUN_ID, run.get("id")),
            (names.RUN_STATUS, run.get("status")),
            (names.RUN_TURNS, result.turns),
        ):
            if value is not None:
                found[name] = value
        if self._captures:
            found |= content.said(result.messages_json, "stop" if run.get("status") == "completed" else "length")
        return found


def _place(client: OpenAI | AsyncOpenAI) -> dict[str, AttributeValue]:
    url = client.base_url
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return {names.SERVER_ADDRESS: url.host, **({names.SERVER_PORT: port} if port else {})}
