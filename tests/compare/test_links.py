"""Every cell of docs/compare.md about us leads to a test that is there, every one about others to what shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
SECTIONS = PAGE.split("\n## ")[1:]
LINKS = re.findall(r"\]\((\.\./tests/[^)#]+)(?:#([^)]+))?\)", PAGE)


def test_every_test_that_is_named_is_there() -> None:
    assert len(LINKS) > 12
    for path, name in LINKS:
        source = (ROOT / "docs" / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{path} has no {name}"


def tables(section: str) -> Iterator[list[list[str]]]:
    """The rows of the tables of a section, without their heads."""
    rows: list[list[str]] = []
    for line in [*section.splitlines(), ""]:
        if line.startswith("|---"):
            rows = []
        elif line.startswith("| "):
            rows.append(line.strip("| ").split(" | "))
        elif rows:
            yield rows
            rows = []


def test_every_cell_of_ours_leads_to_a_test() -> None:
    cells = [row[1] for section in SECTIONS for rows in tables(section) for row in rows]
    assert len(cells) > 20
    assert [cell for cell in cells if "../tests/" not in cell] == []


def test_every_cell_of_others_leads_to_a_script_or_a_page_or_its_section_does() -> None:
    for section in SECTIONS:
        says = section.partition("\n| ")[0]
        cells = [cell for rows in tables(section) for row in rows for cell in row[2:]]
        assert "(../tests/" in says or all("](" in cell for cell in cells), says


def test_every_library_is_there_in_the_version_that_make_peers_installs() -> None:
    pinned = "".join((ROOT / "tests" / "compare" / name).read_text("utf-8") for name in ("peers.txt", "swarm.txt"))
    [versions] = tables(PAGE.partition("\n## ")[0])
    assert len(versions) > 6
    for library, version, *_ in versions:
        assert re.search(rf"^{library.split()[0]}(\[\w+\])?=={version}$", pinned, re.MULTILINE), library
