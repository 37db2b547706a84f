"""docs/operations.md tells of each metric and each bound, as they are."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from toolkit.cli.serve import DRAIN_S, KEEP_ALIVE_S
from toolkit.engine.objects.files import MOST_BYTES
from toolkit.engine.objects.uploads import MOST_PART_BYTES
from toolkit.server.connections import Bounds
from toolkit.server.metrics import Metrics
from toolkit.server.wire import MOST_BODY

PAGE = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


class Work:
    waiting = working = 0
    closing = False


def test_metrics() -> None:
    metrics = Metrics()
    metrics.watch(Work())
    metrics.request("GET /models", 200)
    metrics.run_ended("completed", 1)
    metrics.model_failed("server_error", again=True)
    there = {
        (family.name + ("_total" if family.type == "counter" else ""), *sorted(labels(family) - {"le"}))
        for family in text_string_to_metric_families(metrics.text())
        if family.name.startswith("toolkit_")
    }
    rows = re.findall(r"^\| `(toolkit_\w+)` \| (.*?) \|", section("Metrics"), re.MULTILINE)
    assert {(name, *re.findall(r"`(\w+)`", said)) for name, said in rows} == there


def labels(family: object) -> set[str]:
    return {name for sample in getattr(family, "samples") for name in sample.labels}


def test_bounds() -> None:
    bounds = Bounds()
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|", section("Bounds"), re.MULTILINE))
    assert rows["Body of a request"] == f"{MOST_BODY // 2**20} MiB"
    assert rows["URL; head of a request"] == f"{bounds.url_bytes // 1024} KiB; {bounds.head_bytes // 1024} KiB"
    assert rows["Time for a head, and for a new connection to say something"] == f"{bounds.head_s:g} s"
    assert rows["Time for a body"] == f"{bounds.body_s:g} s"
    assert rows["A file; a part of an upload"] == f"{MOST_BYTES // 2**20} MiB; {MOST_PART_BYTES // 2**20} MiB"
    assert rows["More time, for a large one"].startswith(f"a second for each {bounds.body_rate / 1024:g} KiB")
    assert rows["A client that takes nothing of an answer that waits for it"] == f"{bounds.stall_s:g} s"
    assert rows["A connection between two requests"] == f"{KEEP_ALIVE_S} s"
    assert rows["Connections"].startswith(f"{bounds.connections}, ")
    assert f"under way have {DRAIN_S} s to end" in section("When it ends")
