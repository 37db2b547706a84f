"""`toolkit doctor`: what works here, and what to do about the rest."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import typer

from toolkit import __version__
from toolkit.cli import settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import models_at, offers
from toolkit.engine.model import ModelError
from toolkit.engine.store.address import default_url, parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import EngineError

__all__ = ["doctor"]

PACKAGES = ("openai", "pydantic", "httpx2", "uvicorn", "typer", "rich")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` is for those that do not work."""

    works: bool
    what: str
    remedy: str = ""


def doctor(
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    model_url: settings.ModelUrl = None,
    model_key: settings.ModelKey = None,
    model_key_file: settings.ModelKeyFile = None,
    model: settings.ModelName = None,
) -> None:
    """Say what works here, and what to do about the rest.

    The exit code is 1 when something does not work.
    """
    findings = [
        *_programs(),
        _sqlite(),
        _store(settings.store_url(store, data_dir) or default_url()),
        *_model(model_url, model_key, model_key_file, model),
    ]
    for finding in findings:
        typer.echo(_filled(f"{'ok  ' if finding.works else 'FAIL'}  {finding.what}"))
        if finding.remedy:
            typer.echo(_filled(f"      {finding.remedy}"))
    if not all(finding.works for finding in findings):
        raise typer.Exit(1)


def _filled(text: str) -> str:
    """Fill lines to 80 columns; addresses and paths are never broken."""
    return textwrap.fill(text, 80, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)


def _programs() -> Iterator[Finding]:
    yield Finding(True, f"assistants-toolkit {__version__}, Python {sys.version.split()[0]} ({sys.executable})")
    found: list[str] = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding(False, f"{name} is missing", 'pip install "assistants-toolkit[standard]"')
    yield Finding(True, ", ".join(found))


def _sqlite() -> Finding:
    with sqlite3.connect(":memory:") as connection:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    connection.close()
    search = "with" if "ENABLE_FTS5" in options else "without"
    new_enough = sqlite3.sqlite_version_info >= (3, 35)
    remedy = "" if new_enough else "SQLite 3.35 or newer is needed: install a newer Python"
    return Finding(new_enough, f"SQLite {sqlite3.sqlite_version}, {search} full-text search (FTS5)", remedy)


def _store(url: str) -> Finding:
    """Open the store as an engine would: that is the only check that tells."""
    try:
        opened = SQLite(parse(url))
    except EngineError as error:
        return Finding(False, f"store {url}", f"{error} Choose another with --store or TOOLKIT_STORE.")
    asyncio.run(opened.aclose())
    path = parse(url).path
    size = f", {path.stat().st_size / 1e6:.1f} MB" if isinstance(path, Path) else ""
    return Finding(True, f"store is writable{size}: {url}")


def _model(url: str | None, key: str | None, key_file: Path | None, model: str | None) -> Iterator[Finding]:
    yield Finding(True, "model offline: always there, calls tools, is not a language model")
    try:
        endpoint = settings.model_settings(url, key, key_file)
    except Mistake as mistake:
        yield Finding(False, "model endpoint", str(mistake))
        return
    if endpoint.url is None:
        yield Finding(True, "no model endpoint set; for one: TOOLKIT_MODEL_URL, or OPENAI_API_KEY")
        return
    try:
        models = models_at(endpoint)
    except ModelError as error:
        yield Finding(False, f"model endpoint {endpoint.url}", error.message)
        return
    yield Finding(True, f"model endpoint {endpoint.url}, {len(models)} {'model' if len(models) == 1 else 'models'}")
    if model and model != "offline" and not offers(models, model):
        yield Finding(False, f"model {model}", f"The endpoint has: {', '.join(models[:8])}")
    elif not model:
        yield Finding(True, f"TOOLKIT_MODEL is not set, and toolkit run needs it: {', '.join(models[:4])}")
