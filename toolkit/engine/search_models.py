"""Which models say what texts are about, when the engine was given any."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from toolkit.engine.endpoint import Endpoint
from toolkit.engine.endpoint.embeddings import Embeddings
from toolkit.engine.endpoint.reranking import Reranking
from toolkit.engine.model import Model, ModelError
from toolkit.engine.routing import Models
from toolkit.engine.search.embedder import Embedder, Reranker
from toolkit.errors import EngineError

__all__ = ["SearchModels", "search_models"]


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
    return SearchModels(
        _embeddings(models, embeddings, embeddings_model), _reranking(models, reranker, reranking_model)
    )


def _embeddings(models: Models, given: Embedder | Endpoint | None, name: str | None) -> tuple[Embedder, str] | None:
    if name is None:
        if given is not None:
            raise EngineError("Which model makes the vectors? Give an Engine `embeddings_model` too.")
        return None
    if find_spec("numpy") is None:
        raise EngineError("Vectors are compared with numpy. Get it: pip install 'assistants-toolkit[files]'")
    if given is not None:
        return (Embeddings(given) if isinstance(given, Endpoint) else given), name
    endpoint, used = _at_endpoint(models, name, "embeddings")
    return Embeddings(endpoint), used


def _reranking(models: Models, given: Reranker | Endpoint | None, name: str | None) -> tuple[Reranker, str] | None:
    if name is None:
        if given is not None:
            raise EngineError("Which model puts passages in order? Give an Engine `reranking_model` too.")
        return None
    if given is not None:
        return (Reranking(given) if isinstance(given, Endpoint) else given), name
    endpoint, used = _at_endpoint(models, name, "reranker")
    return Reranking(endpoint), used


def _at_endpoint(models: Models, name: str, instead: str) -> tuple[Endpoint, str]:
    model: Model | None
    try:
        model, used = models.at(name)
    except ModelError:
        model, used = None, name
    if not isinstance(model, Endpoint):
        raise EngineError(f"The model {name!r} is at no endpoint. Give one: model_url, endpoints or {instead}.")
    return model, used
