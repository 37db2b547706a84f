from __future__ import annotations

import tomllib
from pathlib import Path

from tests.clients.catalogue import CLIENTS
from tests.contract.test_compatibility import table

ROOT = Path(__file__).parents[2]


def test_the_page_lists_what_is_run_here() -> None:
    run: dict[tuple[str, str], dict[str, None]] = {}
    for client in CLIENTS:
        name = f"`{client.package}`{f', `{client.face}`' if client.face else ''}"
        run.setdefault((name, "npm" if client.is_node else "PyPI"), {})[client.version] = None
    told = {(name, registry): versions.split(", ") for name, registry, versions in table("Clients seen working")}
    assert told == {key: list(versions) for key, versions in run.items()}


def test_every_program_is_run() -> None:
    programs = {path.name for path in (ROOT / "tests" / "clients" / "programs").iterdir() if path.is_file()}
    assert {client.program for client in CLIENTS} == programs


def test_the_oldest_client_that_the_toolkit_takes_is_run_each_time() -> None:
    taken = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    [oldest] = [one.removeprefix("openai>=").partition(",")[0] for one in taken if one.startswith("openai")]
    each_time = [client.version for client in CLIENTS if client.package == "openai" and not client.slow]
    assert f"{oldest}.0" in each_time
