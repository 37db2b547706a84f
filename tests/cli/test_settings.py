from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.cli.mistakes import Mistake
from toolkit.cli.settings import (
    OPENAI,
    ModelSettings,
    api_keys,
    is_loopback,
    is_own_address,
    model_settings,
    name_map,
    store_url,
)


def test_without_anything_there_is_the_offline_model() -> None:
    assert model_settings(None, None, None) == ModelSettings(None, None)


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({"OPENAI_API_KEY": "k"}, ModelSettings(OPENAI, "k")),
        ({"OPENAI_BASE_URL": "http://a/v1/"}, ModelSettings("http://a/v1", None)),
        ({"OPENAI_BASE_URL": "http://a/v1", "OPENAI_API_KEY": "k"}, ModelSettings("http://a/v1", "k")),
        ({"OPENAI_BASE_URL": "", "OPENAI_API_KEY": ""}, ModelSettings()),
    ],
)
def test_openai_variables(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], settings: ModelSettings
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert model_settings(None, None, None) == settings


def test_a_key_goes_only_where_it_was_given_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://a/v1")
    assert model_settings("http://b/v1", None, None) == ModelSettings("http://b/v1", None)
    assert model_settings(None, "ours", None) == ModelSettings("http://a/v1", "ours")


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://a", "http://", "http://a:port", "http://[::1", "llama"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(Mistake, match="is not understood"):
        model_settings(url, None, None)


def test_openai_without_a_key() -> None:
    with pytest.raises(Mistake, match="needs a key"):
        model_settings(OPENAI, None, None)


def test_a_key_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k\n")
    assert model_settings("http://a/v1", None, file).key == "k"
    assert "k" not in repr(model_settings("http://a/v1", None, file)).split("url=")[0]
    file.write_text("two\nlines")
    with pytest.raises(Mistake, match="alone on one line"):
        model_settings("http://a/v1", None, file)
    with pytest.raises(Mistake, match="cannot be read"):
        model_settings("http://a/v1", None, tmp_path / "none")


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert name_map(None, []) == {}
    assert name_map("llama3", ["gpt-4o=big"]) == {"*": "llama3", "gpt-4o": "big"}
    monkeypatch.setenv("TOOLKIT_MODEL_MAP", "a=b, *=c")
    assert name_map(None, ["a=d"]) == {"a": "d", "*": "c"}
    for wrong in ("a", "=b", "a="):
        with pytest.raises(Mistake, match="is not understood"):
            name_map(None, [wrong])
    with pytest.raises(Mistake, match="always means the offline model"):
        name_map(None, ["offline=a"])


def test_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# ours\nshop=k2\n\nk3\n")
    monkeypatch.setenv("TOOLKIT_API_KEYS", "k4,lab=k5")
    assert api_keys(["k1", "bG9uZw=="], file) == {
        "k1": "default",
        "bG9uZw==": "default",
        "k2": "shop",
        "k3": "default",
        "k4": "default",
        "k5": "lab",
    }
    monkeypatch.setenv("TOOLKIT_API_KEY", "k6")
    monkeypatch.delenv("TOOLKIT_API_KEYS")
    assert api_keys([], None) == {"k6": "default"}
    monkeypatch.delenv("TOOLKIT_API_KEY")
    assert api_keys([], None) == {}
    file.write_text("# none yet\n")
    for none in (([""], None), ([], file)):
        with pytest.raises(Mistake, match="no key in --api-key or --api-key-file"):
            api_keys(*none)
    with pytest.raises(Mistake, match="One key is given for two projects, default and shop"):
        api_keys(["k", "shop=k"], None)


def test_the_store(tmp_path: Path) -> None:
    assert store_url(None, None) is None
    assert store_url("sqlite:///a.db", tmp_path) == "sqlite:///a.db"
    assert store_url(None, tmp_path / "new") == f"sqlite:///{tmp_path}/new/assistants.db"
    (tmp_path / "file").touch()
    with pytest.raises(Mistake, match="cannot be made"):
        store_url(None, tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("url", "host", "port", "own"),
    [
        ("http://localhost:8000/v1", "127.0.0.1", 8000, True),
        ("http://[::1]:8000/v1", "127.0.0.1", 8000, True),
        ("http://127.0.0.1:8000", "0.0.0.0", 8000, True),
        ("http://box:8000/v1", "box", 8000, True),
        ("http://localhost", "127.0.0.1", 80, True),
        ("http://localhost:8001/v1", "127.0.0.1", 8000, False),
        ("http://other:8000/v1", "0.0.0.0", 8000, False),
    ],
)
def test_its_own_address(url: str, host: str, port: int, own: bool) -> None:
    assert is_own_address(url, host, port) is own


def test_loopback() -> None:
    assert [is_loopback(host) for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "10.0.0.1")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
