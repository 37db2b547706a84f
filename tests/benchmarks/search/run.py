"""Compare rankings on real documentation, and print one table: `python tests/benchmarks/search/run.py`.

Rankings were chosen on the tuning half of the questions; the table is of the half that is held out (`--tuning` prints
the other). The first time, packages are installed and vectors computed, for half an hour; then it takes a few minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # started as a program, so that this folder is on the path instead of the checkout
    sys.path[0] = str(Path(__file__).parents[3])

from tests.benchmarks.search import packages
from tests.benchmarks.search.corpora import corpora
from tests.benchmarks.search.measures import Search, interval, measured, place
from tests.benchmarks.search.questions import Question, is_for_tuning

__all__ = ["Places", "main", "table"]

BASELINE = "keywords"
"""What the others are compared with."""
_LANGUAGES = ("English", "Korean")


@dataclass(slots=True)
class Places:
    """Where one ranking found the answers to the questions of one language, and what CPU it took."""

    places: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def ask(self, search: Search, questions: Iterable[Question]) -> None:
        """Ask, and see where the answers are."""
        for question in questions:
            began = time.process_time()
            results = search(question.text)
            self.seconds += time.process_time() - began
            self.places.append(place(question, results))


def table(found: Mapping[str, Mapping[str, Places]]) -> Sequence[str]:
    """Write recall@5, MRR and nDCG@10 by ranking and language, and how much more nDCG@10 than by keywords."""
    heads = [head for language in _LANGUAGES for head in (language, "against keywords")]
    lines = [f"| | {' | '.join(heads)} | CPU ms |", "|---" * (len(heads) + 2) + "|"]
    for ranking, languages in found.items():
        cells = [cell for language in _LANGUAGES for cell in _cells(languages.get(language), found[BASELINE][language])]
        seconds = sum(each.seconds for each in languages.values())
        asked = sum(len(each.places) for each in languages.values())
        lines.append(f"| {' | '.join([ranking, *cells, f'{seconds / asked * 1e3:.1f}'])} |")
    return lines


def _cells(found: Places | None, baseline: Places) -> tuple[str, str]:
    if found is None:
        return "", ""
    sums = measured(found.places)
    if found is baseline:
        return f"{sums.recall_5:.3f} / {sums.mrr:.3f} / {sums.ndcg_10:.3f}", ""
    more, low, high = interval(found.places, baseline.places)
    return f"{sums.recall_5:.3f} / {sums.mrr:.3f} / {sums.ndcg_10:.3f}", f"{more:+.3f} ({low:+.3f} to {high:+.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask all questions of a half of all rankings, and print the table."""
    parser = argparse.ArgumentParser(description="Compare rankings on real documentation.")
    parser.add_argument("--tuning", action="store_true", help="the half that rankings are chosen by")
    half = parser.parse_args(arguments).tuning
    sys.path.append(str(packages.installed()))
    from tests.benchmarks.search.rankings import rankings  # which needs what is installed

    found: dict[str, dict[str, Places]] = {}
    for collection in corpora():
        questions = [question for question in collection.questions if is_for_tuning(question) is half]
        language = "Korean" if collection.name.endswith("-ko") else "English"
        with rankings(collection) as all_of_them:
            for name, search in all_of_them.items():
                print(f"{collection.name}: {name} ...", end="\033[K\r", file=sys.stderr, flush=True)
                found.setdefault(name, {}).setdefault(language, Places()).ask(search, questions)
    print("\n".join(table(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
