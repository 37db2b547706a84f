"""A short soak, in which servers are killed as in the long one; and what would be seen if something were wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.soak.conversation import compare
from tests.soak.run import Plan, Report, main
from tests.soak.tally import KINDS, Problem


@pytest.mark.slow
@pytest.mark.parametrize("servers", ["1", "2"])
def test_nothing_is_lost_in_a_short_soak(capsys: pytest.CaptureFixture[str], servers: str) -> None:
    code = main(["--minutes", "0.2", "--workers", "8", "--kill-every", "3", "--servers", servers])
    said = capsys.readouterr()
    assert (code, said.err) == (0, ""), said.out
    table = dict(line.strip("| ").split(" | ") for line in said.out.splitlines())
    table = {what.strip(): told for what, told in table.items()}
    workers, on_one_file, kills = table["workers / servers on one file / kills"].split(" / ")
    assert (workers, on_one_file) == ("8", servers)
    assert kills == "4"
    assert {table[kind] for kind in KINDS} == {"0"}


@pytest.mark.parametrize(
    ("kind", "there"),
    [
        ("lost", ["a.0"]),
        ("doubled", ["a.0", "a.1", "a.1"]),
        ("crossed", ["a.0", "b.1"]),
        ("wrong", ["a.1", "a.0"]),
    ],
)
def test_what_is_not_as_it_was_said_is_told(kind: str, there: Sequence[str]) -> None:
    compare("a", "there are", ["a.0", "a.1"], ["a.0", "a.1"])
    with pytest.raises(Problem) as found:
        compare("a", "there are", there, ["a.0", "a.1"])
    assert found.value.kind == kind


def test_a_problem_or_growing_memory_is_bad() -> None:
    report = Report(Plan(10, 1, 1, 1, 0), seconds=1.0)
    report.tally.ends["completed"] += 1
    assert all(good for _, _, good in report.rows())
    report.tally.problems.append(Problem("lost", "something"))
    report.long_life = [50.0] * 30 + [60.0] * 30
    assert [what for what, _, good in report.rows() if not good] == ["lost", "memory of a server left alone"]
