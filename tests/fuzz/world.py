"""The server that is fuzzed, and what is there when it begins."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from tests.contract.raw import Raw, bounded, raw
from tests.contract.tenants import Tenant
from tests.engine.scripted import Script, Scripted, answer, ask, asked
from tests.fuzz.checks import KEY
from toolkit.engine import Engine
from toolkit.engine.model import ModelCall, ModelRequest
from toolkit.engine.objects.ids import new_id

__all__ = ["Faults", "World", "world"]

_IN_BODIES: Mapping[str, str] = {
    "body.assistant_id": "assistant_id",
    "body.tool_outputs[*].tool_call_id": "tool_call_id",
    "body.part_ids[*]": "part_id",
    "body.file_id": "file_id",
    "body.file_ids[*]": "file_id",
    "body.files[*].file_id": "file_id",
    "body.attachments[*].file_id": "file_id",
    "body.tool_resources.code_interpreter.file_ids[*]": "file_id",
    "body.tool_resources.file_search.vector_store_ids[*]": "vector_store_id",
}
"""Where a body names something, and what."""


class Faults(logging.Handler):
    """Collects what the server logs as its own fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record))


@dataclass
class World:
    """A server, the ids of what is kept there and of what may be deleted, by their names in paths."""

    server: Raw
    faults: Faults
    kept: Mapping[str, str] = field(default_factory=dict[str, str])
    doomed: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.server.address)

    def is_well(self) -> bool:
        """Say whether it still answers and has logged no fault of its own; prints those."""
        answer = httpx2.get(f"{self.url}/readyz")
        for text in self.faults.texts:
            print(text)
        return answer.status_code == 200 and not self.faults.texts

    def settle(self) -> None:
        """Make an object of each kind, twice."""
        with httpx2.Client(base_url=self.url, headers={"api-key": KEY}, timeout=30) as http:
            tenants = [Tenant(http), Tenant(http)]
            for tenant in tenants:
                tenant.settle()
        self.kept, self.doomed = (tenant.ids for tenant in tenants)

    def config(self) -> str:
        """Write down for schemathesis which ids to use often (TOML)."""
        lines: list[str] = []
        for ids, prefix in ((self.kept, "kept"), (self.doomed, "doomed")):
            for name, id_ in ids.items():
                lines += [f"[dictionaries.{prefix}_{name}]", f"values = [{json.dumps(id_)}]"]
        lines += ["[parameters]", *self._bindings("kept")]
        lines += ["[[operations]]", 'include-method = "DELETE"', "[operations.parameters]", *self._bindings("doomed")]
        return "\n".join(lines) + "\n"

    def _bindings(self, prefix: str) -> Iterator[str]:
        places = {f"path.{name}": name for name in self.kept} | {"query.run_id": "run_id", **_IN_BODIES}
        for place, name in places.items():
            if name in self.kept:
                yield f'"{place}" = {{dictionary = "{prefix}_{name}", probability = 0.7}}'


def _script(request: ModelRequest) -> Script:
    """Say what is asked for, or call a function when there are some and a user has spoken last, or answer."""
    last = asked(request)[-1:]
    if last and str(last[0]["content"]).startswith("say ["):
        return answer(*json.loads(last[0]["content"][4:]))
    if json.loads(request.tools or "[]") and last and last[0]["role"] == "user":
        return ask(ModelCall(new_id("call"), "get_weather", "{}"))
    return answer("Hi ", "there")


@contextmanager
def world(**bounds: float) -> Iterator[World]:
    """Serve an engine with a key, as `toolkit serve` does; `bounds` are those of its connections."""
    faults = Faults()
    loggers = [logging.getLogger(name) for name in ("toolkit", "uvicorn", "asyncio")]
    with TemporaryDirectory() as folder, ExitStack() as exits:
        for logger in loggers:
            logger.addHandler(faults)
            exits.callback(logger.removeHandler, faults)
        store = f"sqlite:///{Path(folder) / 'fuzz.db'}"
        engine = exits.enter_context(Engine(store, model=Scripted(_script), api_keys={KEY: "default"}))
        yield World(exits.enter_context(raw(engine.app, bounded(**bounds))), faults)
