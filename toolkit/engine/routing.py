"""Which model answers for the name that an assistant asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from toolkit.engine.model import Model, ModelError
from toolkit.engine.offline import Offline

__all__ = ["OFFLINE", "Models"]

OFFLINE: Final = "offline"


class Models:
    """The models there are: the offline one, and those of an endpoint if there is one.

    `names` maps the name asked for to the one used at the endpoint, `"*"` standing for any but `offline`; a name may
    also be mapped to `offline`. A name that is not mapped is used as it is.
    """

    def __init__(self, endpoint: Model | None, names: Mapping[str, str] | None = None) -> None:
        self._endpoint = endpoint
        self._names = dict(names or {})
        self._offline = Offline()

    def pick(self, asked: str) -> tuple[Model, str]:
        """Give the model that answers, and the name to ask it for. Raises ModelError when there is none."""
        used = OFFLINE if asked == OFFLINE else self._names.get(asked) or self._names.get("*") or asked
        if used == OFFLINE:
            return self._offline, OFFLINE
        if self._endpoint is None:
            raise ModelError(
                f"There is no model {asked!r} here, since no model endpoint is set: use the model 'offline', or set "
                "one with `toolkit serve --model-url URL --model NAME`, TOOLKIT_MODEL_URL or Engine(model_url=...)."
            )
        return self._endpoint, used

    async def names(self) -> Sequence[str]:
        """List what can be asked for: the mapped names, the endpoint's own, and `offline`.

        An endpoint that does not answer leaves the others, so that a listing always comes.
        """
        names = [name for name in self._names if name != "*"]
        if self._endpoint is not None:
            try:
                names += await self._endpoint.names()
            except ModelError:
                names += [name for name in self._names.values() if name != OFFLINE]
        return list(dict.fromkeys([*names, OFFLINE]))

    async def aclose(self) -> None:
        """Close the endpoint's connections."""
        if self._endpoint is not None:
            await self._endpoint.aclose()
