from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.engine.scripted import answer
from tests.server.conftest import Serve
from toolkit.engine.model import ModelError
from toolkit.server.metrics import CONTENT_TYPE, Metrics

Samples = dict[tuple[str, tuple[str, ...]], float]


@dataclass
class Amount:
    """So much work."""

    waiting: int
    working: int
    closing: bool = False


def samples(text: str) -> Samples:
    """Read what Prometheus would: (name, values of the labels) -> value."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_runs_and_model_calls_are_counted() -> None:
    metrics = Metrics()
    metrics.run_ended("completed", 0.05)
    metrics.run_ended("completed", 3.0)
    metrics.run_ended("failed", 10_000.0)
    metrics.model_answered(0.2)
    metrics.model_failed("server_error", again=True)
    metrics.model_failed("rate_limit_exceeded", again=False)
    told = samples(metrics.text())
    assert told["toolkit_run_seconds_count", ("completed",)] == 2
    assert told["toolkit_run_seconds_sum", ("completed",)] == 3.05
    assert told["toolkit_run_seconds_bucket", ("0.01", "completed")] == 0
    assert told["toolkit_run_seconds_bucket", ("0.05", "completed")] == 1, "a bound belongs to its own bucket"
    assert told["toolkit_run_seconds_bucket", ("5.0", "completed")] == 2
    assert told["toolkit_run_seconds_bucket", ("600.0", "failed")] == 0
    assert told["toolkit_run_seconds_bucket", ("+Inf", "failed")] == 1
    assert told["toolkit_model_seconds_count", ()] == 1
    assert told["toolkit_model_errors_total", ("server_error",)] == 1
    assert told["toolkit_model_errors_total", ("rate_limit_exceeded",)] == 1
    assert told["toolkit_model_retries_total", ()] == 1


def test_work_is_asked_for_wherever_there_is_some() -> None:
    metrics = Metrics()
    assert ("toolkit_runs_waiting", ()) not in samples(metrics.text())
    metrics.watch(Amount(waiting=3, working=1))
    metrics.watch(Amount(waiting=0, working=4))
    told = samples(metrics.text())
    assert (told["toolkit_runs_waiting", ()], told["toolkit_runs_working", ()]) == (3, 5)


def test_a_stream_counts_while_it_is_open() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError), metrics.stream(), metrics.stream():
        assert samples(metrics.text())["toolkit_streams_open", ()] == 2
        raise ValueError
    assert samples(metrics.text())["toolkit_streams_open", ()] == 0


def test_no_count_is_lost_between_threads() -> None:
    metrics = Metrics()

    def count() -> None:
        for _ in range(20_000):
            metrics.request("GET /models", 200)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    metrics.text()
    for thread in threads:
        thread.join()
    assert samples(metrics.text())["toolkit_requests_total", ("GET /models", "200")] == 80_000


def test_two_engines_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.model_answered(1)
    assert samples(other.text())["toolkit_model_seconds_count", ()] == 0


def test_the_process_is_told_of_too() -> None:
    assert samples(Metrics().text())["process_open_fds", ()] > 0


def test_requests_are_counted_by_route_and_never_by_id(http: httpx2.Client) -> None:
    made = http.post("/v1/threads", json={}).json()["id"]
    for path in (made, made, "thread_no"):
        http.get(f"/openai/v1/threads/{path}?secret=1")
    http.head(f"/threads/{made}")
    http.options(f"/threads/{made}")
    http.put(f"/v1/threads/{made}")
    http.get("/v1/nowhere/secret")
    http.get("/healthz")
    response = http.get("/metrics")
    assert (response.status_code, response.headers["content-type"]) == (200, CONTENT_TYPE)
    assert {labels: value for (name, labels), value in samples(response.text).items() if "requests" in name} == {
        ("POST /threads", "200"): 1,
        ("GET /threads/{thread_id}", "200"): 3,
        ("GET /threads/{thread_id}", "404"): 1,
        ("none", "204"): 1,
        ("none", "405"): 1,
        ("none", "404"): 1,
    }
    assert made not in response.text
    assert "secret" not in response.text


def test_an_open_stream_is_counted(serve: Serve) -> None:
    http = serve([*answer("hello")[:1], 60.0])
    assistant = http.post("/v1/assistants", json={"model": "m"}).json()["id"]
    body = {"assistant_id": assistant, "stream": True, "thread": {"messages": [{"role": "user", "content": "x"}]}}
    with http.stream("POST", "/v1/threads/runs", json=body) as response:
        pieces = response.iter_bytes()  # held on to: a generator that is forgotten closes the stream
        next(pieces)
        assert samples(http.get("/metrics").text)["toolkit_streams_open", ()] == 1


def test_metrics_stand_behind_the_door(serve: Serve) -> None:
    assert serve(api_keys={"k": "p"}).get("/metrics").status_code == 200, "a client in the process is inside"


WITHOUT = """
import sys
sys.modules["prometheus_client"] = None
from toolkit.server.metrics import Metrics
metrics = Metrics()
metrics.request("GET /models", 200)
try:
    metrics.text()
except Exception as error:
    print(error.status, error)
"""


def test_without_the_package_metrics_say_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "501 Metrics need the package prometheus_client: pip install 'assistants-toolkit[standard]'.\n"
    )


def test_counting_imports_nothing() -> None:
    program = "import sys, toolkit.engine.compose; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_an_engine_counts_its_runs_and_model_calls(serve: Serve) -> None:
    http = serve([ModelError("The model is loading.", retry=True, retry_after_s=0)], answer("hello"))
    assistant = http.post("/v1/assistants", json={"model": "m"}).json()["id"]
    body = {"assistant_id": assistant, "thread": {"messages": [{"role": "user", "content": "x"}]}}
    http.post("/v1/threads/runs", json=body | {"stream": True}).read()
    told = samples(http.get("/metrics").text)
    assert (told["toolkit_runs_waiting", ()], told["toolkit_streams_open", ()]) == (0, 0)
    assert told["toolkit_run_seconds_count", ("completed",)] == 1
    assert told["toolkit_model_seconds_count", ()] == 1
    assert told["toolkit_model_errors_total", ("server_error",)] == 1
    assert told["toolkit_model_retries_total", ()] == 1
    assert told["toolkit_requests_total", ("POST /threads/runs", "200")] == 1
