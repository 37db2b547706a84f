"""The four collections: two in English, two in Korean.

- django: guides, how-tos and questions asked often, of Django's documentation (reStructuredText).
- networkx: the docstrings of its algorithms.
- agents-ko: the Korean documentation of the OpenAI Agents SDK (Markdown; a translation that its project publishes).
- hecto-ko: the Korean documentation of the payment services of Hecto Financial (Markdown, written in Korean).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.search import packages
from tests.benchmarks.search.pages import docstrings, markdown, restructured
from tests.benchmarks.search.questions import Collection, Named, Page, collection

__all__ = ["corpora"]

_MOST: Final = 150
"""Questions of one form in a collection."""
_DJANGO: Final = ("faq/", "howto/", "topics/db/", "topics/auth/", "topics/testing/", "topics/cache.txt")

_LEFT_OUT: Final = {"tests", "approximation", "bipartite", "isomorphism"}
"""Of networkx: what has no documentation, or says again what other modules say."""


def corpora() -> Iterator[Collection]:
    """Make the collections, of what is installed. Raises NotInstalled."""
    wheels = packages.installed()
    django = _pages(packages.unpacked("django") / "docs", ".txt", _DJANGO)
    yield collection("django", django, restructured(django), _MOST)
    modules = list(_modules(wheels / "networkx" / "algorithms"))
    summaries = [each for _, named in modules for each in named]
    yield collection("networkx", [page for page, _ in modules], summaries, _MOST * 2)
    agents = _pages(packages.unpacked("openai-agents") / "docs" / "ko", ".md")
    yield collection("agents-ko", agents, markdown(agents), _MOST)
    hecto = _pages(wheels / "hectofinancial_mcp_server" / "resource" / "docs", ".md")
    hecto = [page for page in hecto if "en" not in Path(page.name).parts]
    yield collection("hecto-ko", hecto, markdown(hecto), _MOST)


def _modules(folder: Path) -> Iterator[tuple[Page, Sequence[Named]]]:
    for path in sorted(folder.rglob("*.py")):
        if not {*path.parts} & _LEFT_OUT and path.name != "__init__.py":
            module = ".".join(path.relative_to(folder).with_suffix("").parts)
            yield docstrings(f"networkx.algorithms.{module}", path.read_text())


def _pages(folder: Path, ending: str, inside: tuple[str, ...] = ("",)) -> Sequence[Page]:
    """Read the pages in some folders, or that are named themselves."""
    paths = sorted(path for path in folder.rglob(f"*{ending}") if _name(path, folder).startswith(inside))
    return [Page(_name(path, folder), path.read_text()) for path in paths]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
