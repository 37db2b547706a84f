from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.engine.store.address import SQLiteAddress, default_url, parse
from toolkit.errors import EngineError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sqlite:///assistants.db", SQLiteAddress(Path("assistants.db"))),
        ("sqlite:////var/lib/a.db", SQLiteAddress(Path("/var/lib/a.db"))),
        ("sqlite:///a.db?synchronous=full", SQLiteAddress(Path("a.db"), "full")),
        ("sqlite:///:memory:", SQLiteAddress(None)),
        ("sqlite://", SQLiteAddress(None)),
    ],
)
def test_understood(url: str, address: SQLiteAddress) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("assistants.db", "sqlite:///file.db"),
        ("mysql://x/y", "sqlite:///file.db"),
        ("sqlite://a.db", "sqlite:///a.db"),
        ("sqlite:///a.db?synchronous=off", "synchronous=full"),
        ("sqlite:///a.db?cache=1", "only options"),
    ],
)
def test_refused_naming_the_remedy(url: str, names: str) -> None:
    with pytest.raises(EngineError, match="sqlite") as error:
        parse(url)
    assert names in str(error.value)


def test_the_default_place_is_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert parse(default_url()).path == tmp_path / "assistants-toolkit" / "assistants.db"
