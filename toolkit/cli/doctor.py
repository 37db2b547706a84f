"""`toolkit doctor`: what works here, and what to do about the rest."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import textwrap
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from toolkit import __version__
from toolkit.cli import code, meaning, settings
from toolkit.cli.config import Config, ConfigFile, config_of
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import Answering, answering_of, models_at, offers
from toolkit.engine.model import ModelError
from toolkit.engine.store.address import default_url, parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import EngineError, SandboxUnavailable
from toolkit.sandbox.choice import Chosen, chosen
from toolkit.sandbox.layers import Layer, layers
from toolkit.sandbox.sandbox import Limits

if TYPE_CHECKING:
    from toolkit.engine.search.embedder import Embedder, Reranker

__all__ = ["doctor"]

T = TypeVar("T")

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
    config: ConfigFile = None,
    embeddings_model: meaning.EmbeddingsModel = None,
    embeddings_url: meaning.EmbeddingsUrl = None,
    embeddings_key_file: meaning.EmbeddingsKeyFile = None,
    rerank_model: meaning.RerankModel = None,
    rerank_url: meaning.RerankUrl = None,
    rerank_key_file: meaning.RerankKeyFile = None,
    sandbox_image: code.SandboxImage = None,
    unsafe_code_interpreter: code.Unsafe = False,
) -> None:
    """Say what works here, and what to do about the rest.

    The exit code is 1 when something does not work.
    """
    code.check(unsafe_code_interpreter, sandbox_image)
    findings = [*_programs(), _sqlite(), _store(settings.store_url(store, data_dir) or default_url())]
    findings += _sandbox(unsafe_code_interpreter, sandbox_image)
    findings.append(Finding(True, "model offline: always there, calls tools, is not a language model"))
    settled = _answering(model_url, model_key, model_key_file, model, config)
    if isinstance(settled, Finding):
        findings.append(settled)
    else:
        embeddings = (embeddings_model, embeddings_url, embeddings_key_file)
        reranking = (rerank_model, rerank_url, rerank_key_file)
        findings += [*_models(settled[1]), *_search(*settled, embeddings, reranking)]
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


def _sandbox(unsafe: bool, image: str | None) -> Iterator[Finding]:
    """Open a session for strange code, and look at every layer of the wall from both sides."""

    async def look() -> tuple[Chosen, Sequence[Layer]]:
        sandbox = await chosen(unsafe=unsafe, image=image)
        return sandbox, () if unsafe else await layers(sandbox, Limits())  # there are none to look at

    try:
        sandbox, found = asyncio.run(look())
    except SandboxUnavailable as error:
        yield Finding(not image, "no sandbox: code of a model's cannot run here, and does not", str(error))
        return
    if unsafe:
        yield Finding(True, "UNSAFE: code_interpreter has no wall, and a model's code can do whatever you can")
        return
    holding = ", ".join(layer.name for layer in found if layer.holds)
    yield Finding(True, f"sandbox by {sandbox.name}; its layers hold: {holding}")
    for layer in found:
        if not layer.holds:
            yield Finding(layer.name == "Landlock", f"sandbox without {layer.name}: {layer.seen}")


def _answering(
    url: str | None, key: str | None, key_file: Path | None, model: str | None, config: Path | None
) -> tuple[Config, Answering] | Finding:
    """Settle on the endpoints, or say what is wrong with them."""
    try:
        said = config_of(config)
        default = settings.model_settings(url, key, key_file, ambient=not said.endpoints)
        return said, answering_of(default, said, {"*": model} if model else {})
    except (Mistake, EngineError) as mistake:
        return Finding(False, "model endpoint", str(mistake))


def _models(answering: Answering) -> Iterator[Finding]:
    if not answering.all:
        yield Finding(True, "no model endpoint set; for one: TOOLKIT_MODEL_URL, or OPENAI_API_KEY")
    for endpoint in answering.all:
        yield from _endpoint(answering, endpoint)


def _search(
    config: Config, answering: Answering, embeddings: meaning.Said, reranking: meaning.Said
) -> Iterator[Finding]:
    """Ask the models that say what files are about for something small."""
    try:
        about = meaning.meaning_of(config, answering, embeddings, reranking)
        models = about.models(answering)
    except (Mistake, EngineError) as mistake:
        yield Finding(False, "models for search", str(mistake))
        return
    if models.embeddings is None:
        yield Finding(True, "files are found by their words alone; more: TOOLKIT_EMBEDDINGS_MODEL")
    else:
        embedder, name = models.embeddings
        try:
            vectors = asyncio.run(_once(embedder, embedder.embed(name, ["a", "b"])))
            yield Finding(
                True, f"files are found by words and by the embedding model {name}, {len(vectors[0])} numbers"
            )
        except ModelError as error:
            yield Finding(False, f"embedding model {name}: files are found by their words alone", error.message)
    if models.reranking is not None:
        reranker, name = models.reranking
        try:
            asyncio.run(_once(reranker, reranker.rerank(name, "a", ["a", "b"])))
            yield Finding(True, f"what was found is put in order by the reranking model {name}")
        except ModelError as error:
            yield Finding(False, f"reranking model {name}: found passages keep their order", error.message)


async def _once(model: Embedder | Reranker, asked: Coroutine[Any, Any, T]) -> T:
    try:
        return await asked
    finally:
        await model.aclose()


def _endpoint(answering: Answering, name: str) -> Iterator[Finding]:
    """Ask an endpoint for its models, and look among them for those that it will be asked for."""
    url = answering.urls[name]
    shown = f"model endpoint {name} {url}" if name else f"model endpoint {url}"
    try:
        models = models_at(answering.all[name], url)
    except ModelError as error:
        yield Finding(False, shown, error.message)
        return
    yield Finding(True, f"{shown}, {len(models)} {'model' if len(models) == 1 else 'models'}")
    for used in answering.used().get(name, ()):
        if not offers(models, used):
            yield Finding(False, f"model {used}", f"The endpoint has: {', '.join(models[:8])}")
    if not answering.names:
        yield Finding(True, f"TOOLKIT_MODEL is not set, and toolkit run needs it: {', '.join(models[:4])}")
