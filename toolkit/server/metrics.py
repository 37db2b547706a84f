"""What `/metrics` tells Prometheus: what was counted here, and how much work there is now.

Counting is adding to a number under a lock, for requests and runs have no time to give away; prometheus_client, which
knows the format, is imported when somebody asks. Labels are few and known: states, codes, routes; never an id.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Protocol

from toolkit.errors import Refused

if TYPE_CHECKING:
    from prometheus_client.metrics_core import HistogramMetricFamily, Metric

__all__ = ["CONTENT_TYPE", "Metrics", "Work"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS_S: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""A run lives for ten minutes unless it was given longer."""


class Work(Protocol):
    """Knows what is under way in an engine, in runs."""

    @property
    def waiting(self) -> int:
        """How many wait here for room."""
        ...

    @property
    def working(self) -> int:
        """How many are worked on here."""
        ...

    @property
    def closing(self) -> bool:
        """Whether no more are begun here."""
        ...


class _Times:
    """How long something took, how often: a histogram."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS_S) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(_BOUNDS_S, seconds)] += 1
        self._total += seconds

    def write(self, family: HistogramMetricFamily, *labels: str) -> None:
        names = [*map(str, _BOUNDS_S), "+Inf"]
        family.add_metric(labels, list(zip(names, accumulate(self._counts), strict=True)), self._total)


class Metrics:
    """The numbers of one engine, from any of its threads; a `Meter` for its runs and model calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: list[Work] = []
        self._runs: defaultdict[str, _Times] = defaultdict(_Times)
        self._model = _Times()
        self._failed: Counter[str] = Counter()
        self._again = 0
        self._requests: Counter[tuple[str, int]] = Counter()
        self._streams = 0

    def watch(self, work: Work) -> None:
        """Ask there, too, how much work there is."""
        self._work.append(work)

    def run_ended(self, status: str, seconds: float) -> None:
        """Count a run that is over, `seconds` after it was created."""
        with self._lock:
            self._runs[status].add(seconds)

    def model_answered(self, seconds: float) -> None:
        """Count a model call that came whole."""
        with self._lock:
            self._model.add(seconds)

    def model_failed(self, code: str, *, again: bool) -> None:
        """Count a model call that did not; `again` says that it is made once more."""
        with self._lock:
            self._failed[code] += 1
            self._again += again

    def request(self, operation: str, status: int) -> None:
        """Count an answer. `operation` is a route as it stands in the table, without ids."""
        with self._lock:
            self._requests[operation, status] += 1

    @contextmanager
    def stream(self) -> Generator[None, None, None]:
        """Count a stream as open meanwhile."""
        with self._lock:
            self._streams += 1
        try:
            yield
        finally:
            with self._lock:
                self._streams -= 1

    def text(self) -> str:
        """Write everything down for Prometheus. Raises Refused (501) when prometheus_client is not installed."""
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
        except ImportError:
            raise Refused(
                "Metrics need the package prometheus_client: pip install 'assistants-toolkit[standard]'.",
                status=501,
                type="server_error",
                code="metrics_not_installed",
            ) from None
        registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=registry)
        registry.register(self)
        return generate_latest(registry).decode()

    def collect(self) -> Iterator[Metric]:
        """Give what there is, as prometheus_client's registries ask for it."""
        with self._lock:
            yield from [*self._gauges(), *self._counts()]

    def _gauges(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily as Gauge

        if self._work:
            waiting, working = (sum(work.waiting for work in self._work), sum(work.working for work in self._work))
            yield Gauge("toolkit_runs_waiting", "Runs that wait here for room.", waiting)
            yield Gauge("toolkit_runs_working", "Runs that are worked on here.", working)
        yield Gauge("toolkit_streams_open", "Streams that are being sent.", self._streams)

    def _counts(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

        runs = HistogramMetricFamily("toolkit_run_seconds", "From a run's creation to its end.", labels=["status"])
        for status, times in self._runs.items():
            times.write(runs, status)
        model = HistogramMetricFamily("toolkit_model_seconds", "Model calls that came whole.", labels=())
        self._model.write(model)
        failed = CounterMetricFamily("toolkit_model_errors", "Model calls that failed.", labels=["code"])
        for code, count in self._failed.items():
            failed.add_metric([code], count)
        again = CounterMetricFamily("toolkit_model_retries", "Model calls made once more.", self._again)
        requests = CounterMetricFamily("toolkit_requests", "Requests answered.", labels=["operation", "status"])
        for (operation, code_of), count in self._requests.items():
            requests.add_metric([operation, str(code_of)], count)
        yield from (runs, model, failed, again, requests)
