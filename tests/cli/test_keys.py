"""`toolkit keys`, and servers that follow what it does."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from tests.cli.conftest import Cli
from tests.cli.models import model_server
from tests.cli.test_serve import logged, serve

A_PAGE = {"Host": "evil.example"}


def made(cli: Cli, *options: str) -> str:
    """Make a key in the store `a.db`, and give it."""
    said = cli("keys", "create", "--store", "sqlite:///a.db", *options)
    assert said.code == 0, said.err
    return said.out.strip()


def listed(cli: Cli) -> list[dict[str, object]]:
    said = cli("keys", "list", "--json", "--store", "sqlite:///a.db")
    assert said.code == 0, said.err
    found: list[dict[str, object]] = json.loads(said.out)
    return found


def test_the_key_alone_goes_to_stdout(cli: Cli) -> None:
    said = cli("keys", "create", "--store", "sqlite:///a.db", "--project", "shop", "--name", "the till")
    assert (said.code, said.out.count("\n")) == (0, 1)
    assert said.out.startswith("sk-toolkit-")
    (key,) = listed(cli)
    assert said.err == f"This is {key['id']}, of project shop. Keep it well: it cannot be shown again.\n"
    assert (key["project"], key["name"], key["ending"]) == ("shop", "the till", said.out.strip()[-4:])


def test_lists_show_the_end_of_a_key_and_no_more(cli: Cli) -> None:
    first, second = made(cli, "--name", "a"), made(cli, "--project", "shop")
    ids = [str(key["id"]) for key in listed(cli)]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert cli("keys", "revoke", ids[1], "--store", "sqlite:///a.db").out == (
        f"Key {ids[1]} (...{second[-4:]}, project shop) is revoked.\n"
    )
    said = cli("keys", "list", "--store", "sqlite:///a.db")
    head, one, other = said.out.splitlines()
    assert head.split() == ["ID", "PROJECT", "KEY", "MADE", "LAST", "USED", "NAME"]
    assert one.split() == [ids[0], "default", f"...{first[-4:]}", today, "never", "a"]
    assert other.split() == [ids[1], "shop", f"...{second[-4:]}", today, "revoked", today]
    everything = said.out + json.dumps(listed(cli))
    assert first[:-4] not in everything
    assert second[:-4] not in everything


def test_the_last_key_leaves_a_closed_store(cli: Cli) -> None:
    made(cli)
    (key,) = listed(cli)
    said = cli("keys", "revoke", str(key["id"]), "--store", "sqlite:///a.db")
    assert said.err == "No other is left, and nobody is let in without. For a new one: toolkit keys create\n"
    again = cli("keys", "revoke", str(key["id"]), "--store", "sqlite:///a.db")
    assert (again.code, again.out.rpartition(";")[2]) == (0, " there was nothing to do.\n")


def test_a_key_taken_for_an_id_is_not_repeated(cli: Cli) -> None:
    key = made(cli)
    said = cli("keys", "revoke", key, "--store", "sqlite:///a.db")
    assert (said.code, said.out) == (1, "")
    assert said.err == "This store has no key with that id. See: toolkit keys list\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["create", "--project", "a b"], "--project 'a b' is not understood."),
        (["create", "--project", ""], "--project '' is not understood."),
        (["create", "--name", "x" * 65], "--name takes at most 64 characters, in one line."),
        (["create", "--name", "a\nb"], "--name takes at most 64 characters, in one line."),
        (["create", "--store", "sqlite:///:memory:"], "A store in memory is gone with its program."),
        (["list", "--store", "sqlite:///none.db"], "There is no store at"),
        (["revoke", "key_x", "--store", "sqlite:///none.db"], "There is no store at"),
    ],
)
def test_mistakes(cli: Cli, tmp_path: Path, arguments: list[str], told: str) -> None:
    said = cli("keys", *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(told)
    assert not (tmp_path / "none.db").exists()


def status(url: str, key: str | None = None, **headers: str) -> int:
    sent: Mapping[str, str] = headers if key is None else {**headers, "authorization": f"Bearer {key}"}
    return httpx2.get(f"{url}/threads", headers=sent, trust_env=False).status_code


def becomes(expected: int, url: str, key: str | None = None) -> float:
    """Ask until the answer is what it should be, and say how long that took."""
    began = time.monotonic()
    while (found := status(url, key)) != expected:
        assert time.monotonic() - began < 5, found
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_running_server_follows(cli: Cli) -> None:
    """Open at first; from the first key on everybody needs one, until the last is revoked and after."""
    with serve("--store", "sqlite:///a.db") as server:
        assert server.lines[3] == "  key    not needed"
        assert status(server.url) == 200
        first = made(cli)
        assert becomes(401, server.url) < 1.5
        assert status(server.url, first) == 200
        thread = httpx2.post(f"{server.url}/threads", json={}, headers={"api-key": first}).json()["id"]
        second, shop = made(cli), made(cli, "--project", "shop")
        assert becomes(200, server.url, second) < 1.5
        assert becomes(200, server.url, shop) < 1.5
        for key, code in ((second, 200), (shop, 404)):
            got = httpx2.get(f"{server.url}/threads/{thread}", headers={"authorization": f"Bearer {key}"})
            assert got.status_code == code
        for key_id in [str(key["id"]) for key in listed(cli)]:
            assert cli("keys", "revoke", key_id, "--store", "sqlite:///a.db").code == 0
        for key in (first, second, shop):
            assert becomes(401, server.url, key) < 1.5
        assert status(server.url) == 401
        root = server.url.removesuffix("/v1")
        assert [httpx2.get(f"{root}/{path}").status_code for path in ("healthz", "readyz", "metrics")] == [
            200,
            200,
            401,
        ]
    used = {key["ending"]: key["last_used_at"] for key in listed(cli)}
    assert used.keys() == {first[-4:], second[-4:], shop[-4:]}
    assert all(isinstance(at, int) and at > 0 and at % 86400 == 0 for at in used.values())


def test_keys_of_the_store_open_other_addresses(cli: Cli) -> None:
    refused = cli("serve", "--host", "0.0.0.0", "--store", "sqlite:///a.db")
    assert (refused.code, refused.err) == (
        2,
        "Without a key only this machine may reach the server, and 0.0.0.0 is open to others.\n"
        "Make one with toolkit keys create, or give --api-key-file FILE; or leave --host out.\n",
    )
    key = made(cli, "--project", "shop")
    with serve("--host", "0.0.0.0", "--store", "sqlite:///a.db", "--api-key", "office=other") as server:
        assert "  key    needed, for office, shop" in server.lines
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert [status(url), status(url, key, **A_PAGE), status(url, "other")] == [401, 200, 200]


def test_keys_are_in_no_line_and_no_metric(cli: Cli) -> None:
    """A busy server at debug level: good keys and bad ones, a model that is asked, streams, mistakes."""
    stored, given, model_key, wrong = made(cli), "given-0123456789", "model-0123456789", "sk-toolkit-wrong0123456789"
    environment = {"TOOLKIT_API_KEYS": f"p={given}", "TOOLKIT_MODEL_KEY": model_key}
    options = ["--store", "sqlite:///a.db", "--log-level", "debug", "--log-format", "json"]
    with model_server(["llama3"]) as model, serve(*options, "--model-url", model, **environment) as server:
        for key in (stored, given, wrong):
            with httpx2.Client(base_url=server.url, headers={"authorization": f"Bearer {key}"}, timeout=20) as http:
                assistant = http.post("/assistants", json={"model": "llama3"}).json().get("id", "asst_x")
                body = {"assistant_id": assistant, "thread": {"messages": [{"role": "user", "content": "hi"}]}}
                http.post("/threads/runs", json={**body, "stream": True}).read()
                http.post("/threads/runs", json={**body, "metadata": {"k": key}, "nothing": key})
                http.post("/threads", content=b"{")
                http.get("/nothing", headers={"api-key": key, "authorization": f"Bearer {key}, {key}"})
                http.post("/threads", headers={"idempotency-key": key * 20})
        metrics = httpx2.get(f"{server.url.removesuffix('/v1')}/metrics", headers={"api-key": stored}).text
        lines = json.dumps(logged(server))
    assert lines.count("POST /v1/threads/runs 200") == 2
    assert 'toolkit_requests_total{operation="POST /threads/runs",status="200"} 2.0' in metrics
    for key in (stored, given, wrong, model_key):
        assert key not in metrics + lines
