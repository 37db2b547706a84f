"""Which model answers for the name that an assistant asks for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

from toolkit.engine.model import Model, ModelError, Windowed
from toolkit.engine.offline import Offline
from toolkit.errors import EngineError

__all__ = ["DEFAULT", "OFFLINE", "Models"]

OFFLINE: Final = "offline"
DEFAULT: Final = "default"
"""The endpoint of this name answers for names that belong to no other."""


class Models:
    """The models there are: the offline one, those of a default endpoint, and those of endpoints that have names.

    `names` maps the name asked for to the one used, `"*"` any name but `offline` and `endpoint/model`. The name used
    is `offline`, or `endpoint/model` when an endpoint of that name is there, or else, slashes and all, a model of the
    default endpoint: the one given as such, the one called `default`, or the only one there is. Raises EngineError for
    a name that no endpoint can have, and for two defaults.
    """

    def __init__(
        self,
        default: Model | None,
        names: Mapping[str, str] | None = None,
        endpoints: Mapping[str, Model] | None = None,
    ) -> None:
        self._endpoints = dict(endpoints or {})
        for name in self._endpoints:
            if name == OFFLINE or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
                raise EngineError(f"No endpoint can be called {name!r}. Use letters, digits and -, and not 'offline'.")
        if default is not None and DEFAULT in self._endpoints:
            raise EngineError("There is a model URL and an endpoint called 'default'. Leave one out, or rename it.")
        only = next(iter(self._endpoints.values())) if len(self._endpoints) == 1 else None
        self._default = default or self._endpoints.get(DEFAULT) or only
        self._names = dict(names or {})
        self._offline = Offline()

    def pick(self, asked: str) -> tuple[Model, str]:
        """Give the model that answers, and the name to ask it for. Raises ModelError when there is none."""
        return self.at(self._used(asked), asked)

    def at(self, used: str, asked: str | None = None) -> tuple[Model, str]:
        """Give the model of a name that is used as it is, and the name to ask it for. Raises ModelError."""
        if used == OFFLINE:
            return self._offline, OFFLINE
        if self._is_at_endpoint(used):
            endpoint, _, name = used.partition("/")
            return self._endpoints[endpoint], name
        if self._default is None:
            raise ModelError(self._advice(asked or used, used))
        return self._default, used

    def can(self, asked: str) -> bool:
        """Say whether there is a model here that answers for a name."""
        try:
            self.pick(asked)
        except ModelError:
            return False
        return True

    def window(self, asked: str) -> int | None:
        """Tell how many tokens fit into the model that answers for a name, None when that is not known (now).

        Called on any thread, and answers at once.
        """
        try:
            model, used = self.pick(asked)
        except ModelError:
            return None
        return model.window(used) if isinstance(model, Windowed) else None

    async def names(self) -> Sequence[str]:
        """List what can be asked for: the mapped names, the endpoints' own, and `offline`.

        An endpoint that does not answer leaves the others, so that a listing always comes.
        """
        names = [name for name in self._names if name != "*"]
        there = {f"{name}/": endpoint for name, endpoint in self._endpoints.items() if endpoint is not self._default}
        if self._default is not None:
            there = {"": self._default, **there}
        listings = await asyncio.gather(*(endpoint.names() for endpoint in there.values()), return_exceptions=True)
        for prefix, listing in zip(there, listings, strict=True):
            if isinstance(listing, ModelError):
                names += self._names.values()
            elif isinstance(listing, BaseException):
                raise listing
            else:
                names += [prefix + name for name in listing]
        return list(dict.fromkeys([*(name for name in names if name != OFFLINE), OFFLINE]))

    async def aclose(self) -> None:
        """Close the endpoints' connections."""
        models = {id(model): model for model in (self._default, *self._endpoints.values()) if model is not None}
        for model in models.values():
            await model.aclose()

    def _used(self, asked: str) -> str:
        if asked == OFFLINE:
            return OFFLINE
        if mapped := self._names.get(asked):
            return mapped
        return asked if self._is_at_endpoint(asked) else self._names.get("*") or asked

    def _is_at_endpoint(self, name: str) -> bool:
        endpoint, _, model = name.partition("/")
        return bool(model) and endpoint in self._endpoints

    def _advice(self, asked: str, used: str) -> str:
        if self._endpoints:
            named = ", ".join(f"{name}/MODEL" for name in self._endpoints)
            return (
                f"The model {used!r} is at no endpoint: ask for {named}, map it with --model-map or [models] in the "
                "--config file, or call one endpoint 'default'."
            )
        return (
            f"There is no model {asked!r} here, since no model endpoint is set: use the model 'offline', or set one "
            "with `toolkit serve --model-url URL --model NAME`, TOOLKIT_MODEL_URL or Engine(model_url=...)."
        )
