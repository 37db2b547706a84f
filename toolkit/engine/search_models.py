"""Which models say what texts are about, when the engine was given any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, TypeVar

from toolkit.engine.endpoint import Endpoint
from toolkit.engine.endpoint.embeddings import Embeddings
from toolkit.engine.endpoint.reranking import Reranking
from toolkit.engine.model import Model, ModelError
from toolkit.engine.routing import Models
from toolkit.engine.search.embedder import Embedder, Reranker
from toolkit.errors import EngineError

__all__ = ["SearchModels", "search_models"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SearchModels:
    """An embedding and a reranking model, each with the name that it has where it is; None is none."""

    embeddings: tuple[Embedder, str] | None = None
    reranking: tuple[Reranker, str] | None = None


def search_models(
    models: Models,
    embeddings: Embedder | Endpoint | None,
    embeddings_model: str | None,
    reranker: Reranker | Endpoint | None,
    reranking_model: str | None,
) -> SearchModels:
    """Settle on the models: a name alone is one of the engine's model endpoints. Raises EngineError."""
    if embeddings_model is not None and find_spec("numpy") is None:
        raise EngineError("Vectors are compared with numpy. Get it: pip install 'assistants-toolkit[files]'")
    return SearchModels(
        _settled(models, embeddings, embeddings_model, Embeddings, "makes the vectors", "embeddings"),
        _settled(models, reranker, reranking_model, Reranking, "puts passages in order", "reranker"),
    )


_NAMED: Final = {"embeddings": "embeddings_model", "reranker": "reranking_model"}
"""Argument of an Engine that says where a model is -> the one that names it."""


def _settled(
    models: Models, given: T | Endpoint | None, name: str | None, at: Callable[[Endpoint], T], does: str, place: str
) -> tuple[T, str] | None:
    """Settle on one model: what it does, and by which argument its place comes."""
    if name is None:
        if given is not None:
            raise EngineError(f"Which model {does}? Give an Engine `{_NAMED[place]}` too.")
        return None
    if given is not None:
        return (at(given) if isinstance(given, Endpoint) else given), name
    endpoint, used = _at_endpoint(models, name, place)
    return at(endpoint), used


def _at_endpoint(models: Models, name: str, instead: str) -> tuple[Endpoint, str]:
    model: Model | None
    try:
        model, used = models.at(name)
    except ModelError:
        model, used = None, name
    if not isinstance(model, Endpoint):
        raise EngineError(f"The model {name!r} is at no endpoint. Give one: model_url, endpoints or {instead}.")
    return model, used
