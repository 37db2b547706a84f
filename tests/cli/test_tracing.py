from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from toolkit.cli.tracing import asked_for

TOOLKIT = os.path.join(os.path.dirname(sys.executable), "toolkit")


@pytest.mark.parametrize(
    ("environment", "exporters"),
    [
        ({}, []),
        ({"OTEL_TRACES_EXPORTER": "console"}, ["console"]),
        ({"OTEL_TRACES_EXPORTER": "otlp, console"}, ["otlp", "console"]),
        ({"OTEL_TRACES_EXPORTER": "none"}, []),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, ["otlp"]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318"}, ["otlp"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "True"}, []),
        ({"OTEL_SERVICE_NAME": "mine"}, []),
    ],
    ids=str,
)
def test_who_asks_for_spans(environment: dict[str, str], exporters: list[str]) -> None:
    assert list(asked_for(environment)) == exporters


def toolkit_run(tools: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [TOOLKIT, "run", str(tools), "Probability of rain in Seoul?"]
    command += ["--store", "sqlite:///:memory:"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=True)


def spans_in(printed: str) -> list[Any]:
    """Read the JSON objects that stand among other lines."""
    found, decoder, place = [], json.JSONDecoder(), 0
    while (place := printed.find("{\n", place)) >= 0:
        span, end = decoder.raw_decode(printed, place)
        found.append(span)
        place = end
    return found


def test_run_sends_its_spans_where_the_environment_says(tools: Path) -> None:
    done = toolkit_run(tools, OTEL_TRACES_EXPORTER="console")
    spans = spans_in(done.stdout)
    assert sorted(span["name"] for span in spans) == [
        "chat offline",
        "chat offline",
        "execute_tool rain",
        "invoke_agent",
    ]
    assert {span["resource"]["attributes"]["service.name"] for span in spans} == {"toolkit"}
    assert len({span["context"]["trace_id"] for span in spans}) == 1


def test_run_says_what_is_missing_and_runs_all_the_same(tools: Path) -> None:
    done = toolkit_run(tools, OTEL_TRACES_EXPORTER="nowhere_else")
    assert done.stderr.splitlines()[0] == (
        'toolkit: no spans, though OTEL_* asks for them: pip install "assistants-toolkit[otel]" opentelemetry-sdk '
        "opentelemetry-exporter-nowhere-else"
    )
    assert "0.25" in done.stdout


def first_line(file: Path) -> str:
    """Wait for the address that a server tells."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if file.exists() and "\n" in (said := file.read_text()):
            return said.partition("\n")[0]
        time.sleep(0.05)
    raise AssertionError("The server has not begun.")


def test_serve_sends_its_spans_when_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "spans.txt"
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "my-assistants"}
    program = f"exec {TOOLKIT} serve --store sqlite:///:memory: --port 0 >{file} 2>/dev/null"
    with subprocess.Popen(["bash", "-c", program], env=environment) as server:
        try:
            address = first_line(file)
            headers = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            with httpx2.Client(base_url=address, headers=headers, timeout=30, verify=False) as client:
                made = client.post("/assistants", json={"model": "offline"}).json()
                thread = {"messages": [{"role": "user", "content": "Hello"}]}
                body = {"assistant_id": made["id"], "thread": thread, "stream": True}
                assert client.post("/threads/runs", json=body).status_code == 200
        finally:
            server.terminate()
            server.wait(20)
    [span] = spans_in(file.read_text())
    assert (span["name"], span["context"]["trace_id"]) == ("chat offline", "0x" + "a" * 32)
    assert span["resource"]["attributes"]["service.name"] == "my-assistants"
