"""Ask a model endpoint which models it has."""

from __future__ import annotations

import asyncio

from toolkit.cli.settings import ModelSettings
from toolkit.engine.model import ModelError

__all__ = ["models_at", "offers"]

PATIENCE_S = 10.0


def models_at(settings: ModelSettings) -> list[str]:
    """List the endpoint's models, sorted. Raises ModelError, with `retry` when it does not answer (in time)."""
    try:
        return sorted(asyncio.run(_names(settings)))
    except TimeoutError as error:
        text = f"The model endpoint {settings.url} gave no answer within {PATIENCE_S:g} s."
        raise ModelError(text, retry=True) from error


def offers(models: list[str], name: str) -> bool:
    """Say whether a name can be asked for, where the list is known; ollama lists llama3 as llama3:latest."""
    return not models or any(one == name or one.startswith(f"{name}:") for one in models)


async def _names(settings: ModelSettings) -> list[str]:
    from toolkit.engine.endpoint import Endpoint

    endpoint = Endpoint(settings.url or "", key=settings.key, timeout_s=PATIENCE_S)
    try:
        return list(await asyncio.wait_for(endpoint.names(), PATIENCE_S))
    finally:
        await endpoint.aclose()
