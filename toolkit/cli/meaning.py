"""Which models say what files are about: what flags, environment and config file come to.

A model is named as everywhere: `NAME` at the model's endpoint, or `endpoint/NAME` at one of the config file's. With
`--embeddings-url` or `--rerank-url` it is at that address, which may have a key of its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.config import Config
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import Answering
from toolkit.cli.settings import check_url, key_in
from toolkit.engine.model import ModelError
from toolkit.engine.routing import Models
from toolkit.engine.search_models import SearchModels, search_models
from toolkit.errors import EngineError

if TYPE_CHECKING:
    from toolkit.engine.endpoint import Endpoint

__all__ = [
    "EmbeddingsKeyFile",
    "EmbeddingsModel",
    "EmbeddingsUrl",
    "Meaning",
    "RerankKeyFile",
    "RerankModel",
    "RerankUrl",
    "Said",
    "SearchMemory",
    "meaning_of",
]

EmbeddingsModel = Annotated[
    str | None,
    typer.Option(
        envvar="TOOLKIT_EMBEDDINGS_MODEL",
        metavar="NAME",
        help="Find files by what they are about, too.",
    ),
]
EmbeddingsUrl = Annotated[
    str | None,
    typer.Option(envvar="TOOLKIT_EMBEDDINGS_URL", metavar="URL", help="Where it is, if not where the model is."),
]
EmbeddingsKeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="File with the key of --embeddings-url.  [env var: TOOLKIT_EMBEDDINGS_KEY, the key]"
    ),
]
RerankModel = Annotated[
    str | None,
    typer.Option(envvar="TOOLKIT_RERANK_MODEL", metavar="NAME", help="Put what was found in order with this model."),
]
RerankUrl = Annotated[
    str | None, typer.Option(envvar="TOOLKIT_RERANK_URL", metavar="URL", help="Where it is, if not where the model is.")
]
RerankKeyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="File with the key of --rerank-url.  [env var: TOOLKIT_RERANK_KEY, the key]"),
]
SearchMemory = Annotated[
    int,
    typer.Option(
        envvar="TOOLKIT_SEARCH_MEMORY", metavar="MIB", min=0, help="Memory for vectors; more are read for each search."
    ),
]


Said = tuple[str | None, str | None, Path | None]
"""A model's name, its URL, and the file of its key."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The models, as an Engine takes them: without an endpoint of its own, a name is one at those of the models."""

    embeddings_model: str | None = None
    embeddings: Endpoint | None = None
    reranking_model: str | None = None
    reranker: Endpoint | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """Give the arguments of an Engine."""
        return {
            "embeddings_model": self.embeddings_model,
            "embeddings": self.embeddings,
            "reranking_model": self.reranking_model,
            "reranker": self.reranker,
        }

    def models(self, answering: Answering) -> SearchModels:
        """Give the models as an engine asks them. Raises EngineError."""
        return search_models(Models(answering.default, {}, answering.endpoints), **self.settings)


def meaning_of(
    config: Config,
    answering: Answering,
    embeddings: Said,
    reranking: Said,
) -> Meaning:
    """Settle on the models. Raises Mistake."""
    embeddings_model, embeddings_at = _one(config.embeddings_model, answering, "embeddings", *embeddings)
    reranking_model, reranker = _one(config.reranking_model, answering, "rerank", *reranking)
    return Meaning(embeddings_model, embeddings_at, reranking_model, reranker)


def _one(
    from_file: str | None, answering: Answering, kind: str, name: str | None, url: str | None, key_file: Path | None
) -> tuple[str | None, Endpoint | None]:
    name = name or from_file
    if not name:
        if url:
            raise Mistake(f"Which model is it at --{kind}-url? Name it: --{kind}-model NAME.")
        return None, None
    if not url:
        try:
            model, _ = Models(answering.default, {}, answering.endpoints).pick(name)
        except ModelError as error:
            raise Mistake(_where(kind, name)) from error
        if model not in answering.all.values():
            raise Mistake(_where(kind, name))
        return name, None
    from toolkit.engine.endpoint import Endpoint

    flag = f"--{kind}-key-file"
    key = key_in(key_file, flag) if key_file is not None else os.environ.get(f"TOOLKIT_{kind.upper()}_KEY")
    try:
        return name, Endpoint(check_url(url, f"--{kind}-url: "), key=key)
    except EngineError as error:
        raise Mistake(f"--{kind}-url: {error}") from error


def _where(kind: str, name: str) -> str:
    return f"The model {name!r} of --{kind}-model needs an endpoint: give --{kind}-url URL, or set TOOLKIT_MODEL_URL."
