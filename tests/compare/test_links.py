"""Every cell of docs/compare.md about us leads to a test that is there, every one about others to a script or test."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\]\((\.\./tests/[^)#]+)(?:#([^)]+))?\)", PAGE)


def test_every_test_that_is_named_is_there() -> None:
    assert len(LINKS) > 12
    for path, name in LINKS:
        source = (ROOT / "docs" / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{path} has no {name}"


def test_every_cell_of_ours_leads_to_a_test() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [row[1] for row in rows if row[0] not in ("what happens", "what it is about")]
    assert len(cells) > 8
    assert [cell for cell in cells if "../tests/" not in cell] == []
