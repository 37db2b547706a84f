"""How a span tells that what it stands for went wrong."""

from __future__ import annotations

from opentelemetry.trace import Span, Status, StatusCode

from toolkit.telemetry import names

__all__ = ["fail"]


def fail(span: Span, error: BaseException, kind: str | None = None, *, hides: bool = False) -> None:
    """Say what was raised: its kind (a class, or the API's own code), and unless it `hides`, its text and traceback."""
    if not span.is_recording():
        return
    span.set_attribute(names.ERROR_TYPE, kind or type(error).__qualname__)
    span.set_status(Status(StatusCode.ERROR, None if hides else str(error)))
    if not hides:
        span.record_exception(error)
