from __future__ import annotations

import subprocess
import sys

from tests.telemetry.conftest import Spans
from toolkit import run, telemetry
from toolkit.testing import ScriptedServer


def test_without_a_provider_nothing_is_kept_and_nothing_fails() -> None:
    telemetry.instrument()
    try:
        with ScriptedServer("Hi") as server, server.client() as client:
            assert run(client, assistant_id=server.assistant(), input="Hi").text == "Hi"
            assert "traceparent" not in server.seen[0].sent.headers
    finally:
        telemetry.uninstrument()


def test_it_can_be_taken_back_and_asked_for_twice(spans: Spans) -> None:
    telemetry.instrument(tracer_provider=spans.provider)
    with ScriptedServer("One", "Two") as server, server.client() as client:
        run(client, assistant_id=server.assistant(), input="Hi")
        assert len(spans.all) == 2
        telemetry.uninstrument()
        run(client, assistant_id=server.assistant(), input="Hi")
        assert len(spans.all) == 2


def test_the_sdk_is_neither_needed_nor_set_up() -> None:
    program = (
        "import sys\nfrom toolkit import telemetry\ntelemetry.instrument()\n"
        "from opentelemetry import trace\n"
        "print(type(trace.get_tracer_provider()).__name__, any('opentelemetry.sdk' in name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ProxyTracerProvider", "False"]


def test_without_opentelemetry_it_says_what_to_install() -> None:
    program = "import sys\nsys.modules['opentelemetry'] = None\nimport toolkit.telemetry"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        'ImportError: toolkit.telemetry needs: pip install "assistants-toolkit[otel]"'
    )
