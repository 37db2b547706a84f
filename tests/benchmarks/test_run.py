"""The benchmarks work and say what they should; how fast anything is, no test asks."""

from __future__ import annotations

import math

import pytest

from tests.benchmarks.run import SUBJECTS, main, measured
from tests.benchmarks.table import Row, Scale, against, interleaved, markdown, middle, ms


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_gives_rows(subject: str) -> None:
    rows = list(measured([subject], Scale(0)))
    assert rows or subject in ("memory", "sessions")  # which have no figures but on Linux
    for row in rows:
        assert row.what
        assert row.measured
        assert math.isfinite(row.score)  # what is added to something may be less than nothing on a busy machine
        assert row.budget > 0


def test_the_table_reads_as_markdown() -> None:
    rows = [against("a run", 0.003, 0.001, 2, ms), Row("memory", "60 MiB", 60, 100, " MiB")]
    assert list(markdown(rows)) == [
        "| what   | measured / floor | score  | budget  |          |",
        "|--------|------------------|--------|---------|----------|",
        "| a run  | 3 ms / 1 ms      | 3x     | 2x      | **over** |",
        "| memory | 60 MiB           | 60 MiB | 100 MiB | ok       |",
    ]


def test_the_table_has_a_column_for_others_where_a_row_has_them() -> None:
    rows = [Row("memory", "60 MiB", 60, 100, " MiB"), Row("chat", "3 ms / 2 ms", 1.5, 1.5, others="not installed")]
    assert list(markdown(rows)) == [
        "| what   | measured / floor | score  | budget  |    | others        |",
        "|--------|------------------|--------|---------|----|---------------|",
        "| memory | 60 MiB           | 60 MiB | 100 MiB | ok |               |",
        "| chat   | 3 ms / 2 ms      | 1.5x   | 1.5x    | ok | not installed |",
    ]


def test_both_sides_are_called_in_turn() -> None:
    calls: list[str] = []
    interleaved(lambda: calls.append("a"), lambda: calls.append("b"), rounds=2, batch=2)
    assert "".join(calls) == "aabbaabb"


def test_the_pair_in_the_middle_is_that_of_the_median_ratio() -> None:
    assert middle([(9.0, 3.0), (2.0, 2.0), (4.0, 2.0)]) == (4.0, 2.0)


def test_a_subject_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["speed"])
    assert ended.value.code == 2
    assert "there is no speed; there are imports" in capsys.readouterr().err
