from __future__ import annotations

import httpx2
import pytest

from tests.cli.conftest import Cli
from tests.cli.test_serve import serve
from toolkit.cli.mistakes import Mistake
from toolkit.cli.origins import cors_origins, listed


def test_lists_of_the_environment_are_taken_apart() -> None:
    assert listed(None) == []
    assert listed(["a, b", "c,", ""]) == ["a", "b", "c"]


def test_any_page_takes_a_key() -> None:
    assert cors_origins(["*"], keys=True) == ["*"]
    assert cors_origins(["https://a.example"], keys=False) == ["https://a.example"]
    with pytest.raises(Mistake, match="--cors-origin \\* needs one"):
        cors_origins(["https://a.example,*"], keys=False)


def status(url: str, **headers: str) -> int:
    return httpx2.get(f"{url}/threads", headers=headers, trust_env=False).status_code


def test_a_server_takes_the_names_and_pages_that_are_allowed() -> None:
    pages = "https://a.example,https://b.example"
    with serve("--store", "sqlite:///:memory:", "--allow-host", "box.local", TOOLKIT_CORS_ORIGINS=pages) as server:
        assert [status(server.url, Host=name) for name in ("evil.example", "box.local")] == [403, 200]
        origins = ("https://evil.example", "https://b.example")
        assert [status(server.url, Origin=origin) for origin in origins] == [403, 200]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cors-origin", "*"], "Without a key any web page could use the server: --cors-origin * needs one."),
        (["--cors-origin", "a.example"], "The origin 'a.example' is not understood."),
        (["--allow-host", "a/b"], "The host 'a/b' is not understood."),
    ],
)
def test_mistakes(cli: Cli, arguments: list[str], told: str) -> None:
    said = cli("serve", "--store", "sqlite:///a.db", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(told)
