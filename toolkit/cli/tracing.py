"""Spans of a command: only where OTEL_* asks for them, and with what is installed."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

__all__ = ["asked_for", "traced"]

_MISSING = 'toolkit: no spans, though OTEL_* asks for them: pip install "assistants-toolkit[otel]" opentelemetry-sdk{}'


@contextmanager
def traced() -> Generator[None]:
    """Make spans while the block runs, if the environment asks for it, and send the last ones on at its end.

    A provider that is there already (`opentelemetry-instrument toolkit serve`) is used as it is.
    """
    exporters = asked_for(os.environ)
    provider: TracerProvider | None = None
    if exporters:
        try:
            from toolkit import telemetry

            provider = _provider(exporters)
            telemetry.instrument()
        except ImportError as error:
            more = "" if error.name else f" {error}"
            typer.echo(_MISSING.format(more), err=True)
    try:
        yield
    finally:
        if provider is not None:
            provider.shutdown()


def asked_for(environment: Mapping[str, str]) -> Sequence[str]:
    """Name the exporters that OTEL_* asks for: those of OTEL_TRACES_EXPORTER, or otlp where only an endpoint is set."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return ()
    named = environment.get("OTEL_TRACES_EXPORTER", "")
    if not named and any(environment.get(f"OTEL_EXPORTER_OTLP{kind}_ENDPOINT") for kind in ("", "_TRACES")):
        named = "otlp"
    return [name for part in named.split(",") if (name := part.strip()) and name != "none"]


def _provider(exporters: Sequence[str]) -> TracerProvider | None:
    """Set a provider up; None when there is one. Raises ImportError for what is not installed."""
    from opentelemetry import trace
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    made = [_exporter(name) for name in exporters]
    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "toolkit"}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for exporter in made:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def _exporter(name: str) -> Any:
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    used = {"otlp": "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"}.get(name, name)
    for found in entry_points(group="opentelemetry_traces_exporter", name=used):
        return found.load()()
    raise ImportError(f"opentelemetry-exporter-{used.replace('_', '-')}")
