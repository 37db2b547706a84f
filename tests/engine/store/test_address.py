from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.engine.store.address import SQLiteAddress, default_url, parse, url_of
from toolkit.errors import EngineError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sqlite:///assistants.db", SQLiteAddress(Path("assistants.db"))),
        ("sqlite:////var/lib/a.db", SQLiteAddress(Path("/var/lib/a.db"))),
        ("sqlite:///a.db?synchronous=full", SQLiteAddress(Path("a.db"), "full")),
        ("sqlite:///a.db?busy_s=0.5", SQLiteAddress(Path("a.db"), busy_s=0.5)),
        ("sqlite:///a.db?synchronous=full&busy_s=30", SQLiteAddress(Path("a.db"), "full", 30)),
        ("sqlite:///what%3F 100%25 #1.db?busy_s=1", SQLiteAddress(Path("what? 100% #1.db"), busy_s=1)),
        ("sqlite:///100% plain.db", SQLiteAddress(Path("100% plain.db"))),
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
        ("sqlite:///a.db?busy_s=-1", "busy_s=SECONDS"),
        ("sqlite:///a.db?busy_s=inf", "busy_s=SECONDS"),
        ("sqlite:///what?.db", "%3F"),
    ],
)
def test_refused_naming_the_remedy(url: str, names: str) -> None:
    with pytest.raises(EngineError, match="sqlite") as error:
        parse(url)
    assert names in str(error.value)


@pytest.mark.parametrize(
    "path", ["a.db", "/var/lib/a b.db", "what?.db", "100%.db", "%3F.db", "a?b=1&c#d.db", "Größe 木.db"]
)
def test_the_url_of_a_file_leads_to_it(path: str) -> None:
    assert parse(url_of(Path(path))) == SQLiteAddress(Path(path))


def test_the_default_place_is_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert parse(default_url()).path == tmp_path / "assistants-toolkit" / "assistants.db"
