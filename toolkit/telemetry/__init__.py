"""OpenTelemetry: spans for runs, calls of tools, and an engine's calls of models, as the GenAI conventions have them.

    from toolkit import telemetry

    telemetry.instrument()

Only the API is used: where spans go is decided by whoever sets up a provider, and without one they go nowhere. The
names are in `names.py`.
"""

from __future__ import annotations

import os

try:
    from opentelemetry.trace import Tracer, TracerProvider, get_tracer
except ImportError as error:
    raise ImportError('toolkit.telemetry needs: pip install "assistants-toolkit[otel]"') from error

from toolkit.telemetry.names import CAPTURE, CAPTURED

__all__ = ["instrument", "uninstrument"]


def instrument(*, tracer_provider: TracerProvider | None = None, content: bool | None = None) -> None:
    """Make spans of all runs and model calls of this process that begin from now on.

    tracer_provider: whose spans they are; None for the one that is set for the process, now or later.
    content: whether messages, instructions, arguments and outputs are written on the spans; None leaves it to the
        variable OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, and without that, they are not.
    """
    from toolkit.engine import listening as models
    from toolkit.runs import listening as runs
    from toolkit.telemetry.chats import TracedModel
    from toolkit.telemetry.runs import RunSpan

    tracer: Tracer = get_tracer("toolkit", tracer_provider=tracer_provider)
    captures = os.environ.get(CAPTURE, "").strip().lower() in CAPTURED if content is None else content
    runs.listen(lambda client, job: RunSpan(tracer, captures, client, job))
    models.listen(lambda model, run: TracedModel(tracer, captures, model, run))


def uninstrument() -> None:
    """Make no more spans."""
    from toolkit.engine import listening as models
    from toolkit.runs import listening as runs

    runs.listen(None)
    models.listen(None)
