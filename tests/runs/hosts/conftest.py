from __future__ import annotations

import pytest

from tests.runs.hosts.common import made


@pytest.fixture(autouse=True)
def _nothing_made() -> None:
    made.clear()
