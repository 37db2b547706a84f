"""Which models answer for a command: what flags, environment and config file come to, and whether they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.cli.config import Config
from toolkit.cli.mistakes import Mistake
from toolkit.cli.settings import ModelSettings
from toolkit.engine.model import ModelError
from toolkit.engine.routing import OFFLINE, Models
from toolkit.errors import EngineError

if TYPE_CHECKING:
    from toolkit.engine.endpoint import Endpoint

__all__ = ["Answering", "answering_of", "models_at", "offers"]

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Answering:
    """The endpoints there are, as an Engine takes them, and the names used for those asked for."""

    default: Endpoint | None = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict[str, "Endpoint"])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    urls: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name of an endpoint -> its URL as it may be shown; the default one has the name ''."""

    @property
    def all(self) -> Mapping[str, Endpoint]:
        """Every endpoint by its name, the default one as ''."""
        return {**({"": self.default} if self.default is not None else {}), **self.endpoints}

    def used(self) -> Mapping[str, list[str]]:
        """Give the names that each endpoint is sent: name of an endpoint -> names of models."""
        models = Models(self.default, {}, self.endpoints)
        used: dict[str, list[str]] = {}
        for name in sorted(set(self.names.values())):
            model, there = models.pick(name)
            used.setdefault(next((e for e, one in self.all.items() if one is model), OFFLINE), []).append(there)
        used.pop(OFFLINE, None)
        return used


def answering_of(default: ModelSettings, config: Config, names: Mapping[str, str]) -> Answering:
    """Put together which models answer; `names` win over those of the file. Raises Mistake for one at no endpoint."""
    endpoints = {name: _named(config, name, settings) for name, settings in config.endpoints.items()}
    urls = {"": default.url, **{name: settings.url for name, settings in config.endpoints.items()}}
    shown = {name: _shown(url) for name, url in urls.items() if url}
    answering = Answering(
        _endpoint(default) if default.url else None,
        endpoints,
        {**config.models, **names},
        shown,
    )
    try:
        models = Models(answering.default, {}, endpoints)
    except EngineError as error:
        raise Mistake(f"{config.file}: {error}") from error
    for asked, used in answering.names.items():
        try:
            models.pick(used)
        except ModelError as error:
            there = (
                f"There is: {', '.join(endpoints)}" if endpoints else "Give --model-url URL, or set TOOLKIT_MODEL_URL."
            )
            place = f"{config.file}: [models] {asked!r}: the" if config.models.get(asked) == used else "The"
            needs = f"names no endpoint that is there. {there}" if endpoints else f"needs an endpoint. {there}"
            raise Mistake(f"{place} model {used!r} {needs}") from error
    return answering


def _named(config: Config, name: str, settings: ModelSettings) -> Endpoint:
    try:
        return _endpoint(settings)
    except EngineError as error:
        raise Mistake(f"{config.file}: [endpoints.{name}] {error}") from error


def _endpoint(settings: ModelSettings) -> Endpoint:
    """Make an endpoint. Raises EngineError for a key or header that is none."""
    from toolkit.engine.endpoint import Endpoint

    return Endpoint(
        settings.url or "",
        key=settings.key,
        key_header=settings.key_header,
        headers=settings.headers,
        query=settings.query,
        context_tokens=settings.context_tokens,
    )


def _shown(url: str) -> str:
    from toolkit.engine.endpoint.address import base_of

    return base_of(url)


def models_at(endpoint: Endpoint, url: str) -> list[str]:
    """List the endpoint's models, sorted. Raises ModelError, with `retry` when it does not answer (in time)."""
    try:
        return sorted(asyncio.run(_names(endpoint)))
    except TimeoutError as error:
        text = f"The model endpoint {url} gave no answer within {PATIENCE_S:g} s."
        raise ModelError(text, retry=True) from error


def offers(models: list[str], name: str) -> bool:
    """Say whether a name can be asked for, where the list is known; ollama lists llama3 as llama3:latest."""
    return not models or any(one == name or one.startswith(f"{name}:") for one in models)


async def _names(endpoint: Endpoint) -> list[str]:
    try:
        return list(await asyncio.wait_for(endpoint.names(), PATIENCE_S))
    finally:
        await endpoint.aclose()
