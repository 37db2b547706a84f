"""A talk with an engine: its client, its scripted model, and the requests that scenarios repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import httpx2

from tests.contract.doors import client_at, served
from tests.contract.inspection import Inspector
from tests.engine.scripted import Script, Scripted
from toolkit.engine import Engine
from toolkit.engine.model import ModelCall

__all__ = ["BOTH", "FLIGHTS", "TOOLS", "WEATHER", "Talk", "until"]

WEATHER = ModelCall("call_a", "get_weather", '{"city":"Seoul"}')
FLIGHTS = ModelCall("call_b", "find_flights", '{"to":"Paris"}')
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "get_weather"}},
    {"type": "function", "function": {"name": "find_flights"}},
]
BOTH = [{"tool_call_id": "call_a", "output": "sunny"}, {"tool_call_id": "call_b", "output": "none"}]


class Talk:
    """One engine, reached by one door."""

    def __init__(self, door: str, scripts: Sequence[Script], settings: Mapping[str, Any]) -> None:
        self.door = door
        self.inspector = Inspector(settings.get("unknown_fields", "refuse"))
        self.model = Scripted(scripts[0] if len(scripts) == 1 and callable(scripts[0]) else scripts)
        self.engine = Engine(**{"store": "sqlite:///:memory:", "model": self.model, **settings})
        self._exits = ExitStack()
        self._exits.callback(self.engine.close)
        self.client: Any = None
        self._http: httpx2.Client | None = None
        self._assistant_id: str | None = None
        self._thread_id: str | None = None

    def __enter__(self) -> Self:
        self.client = self._exits.enter_context(client_at(self.door, self.engine, self.inspector))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    @property
    def http(self) -> httpx2.Client:
        """A plain HTTP client of the engine, at its root, for requests that the SDK would not send so."""
        if self._http is None:
            address = self._exits.enter_context(served(self.engine.app))
            hooks: Any = {"response": [self.inspector.hook]}
            self._http = self._exits.enter_context(httpx2.Client(base_url=address, event_hooks=hooks, verify=False))
        return self._http

    def sent(self, method: str, path: str, **options: Any) -> Any:
        """Send a request as it is, and give the JSON of the answer, which is a 200."""
        response = self.http.request(method, path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    @property
    def beta(self) -> Any:
        return self.client.beta

    @property
    def threads(self) -> Any:
        return self.client.beta.threads

    @property
    def runs(self) -> Any:
        return self.client.beta.threads.runs

    @property
    def assistant_id(self) -> str:
        """An assistant with two functions, made when it is first needed."""
        if self._assistant_id is None:
            self._assistant_id = self.beta.assistants.create(model="any", tools=TOOLS).id
        return self._assistant_id

    @property
    def thread_id(self) -> str:
        """A thread with a question."""
        if self._thread_id is None:
            self._thread_id = self.threads.create(messages=[{"role": "user", "content": "hello"}]).id
        return self._thread_id

    def create(self, **options: Any) -> Any:
        return self.runs.create(thread_id=self.thread_id, assistant_id=self.assistant_id, **options)

    def poll(self, **options: Any) -> Any:
        return self.runs.create_and_poll(thread_id=self.thread_id, assistant_id=self.assistant_id, **options)

    def stream(self, **options: Any) -> Any:
        return self.runs.stream(thread_id=self.thread_id, assistant_id=self.assistant_id, **options)

    def wait(self, run: Any) -> Any:
        return self.runs.poll(run.id, thread_id=run.thread_id)

    def submit(self, run: Any, outputs: Any = BOTH, **options: Any) -> Any:
        return self.runs.submit_tool_outputs(run.id, thread_id=run.thread_id, tool_outputs=outputs, **options)

    def texts(self) -> list[str]:
        messages = self.threads.messages.list(self.thread_id, order="asc")
        return [message.content[0].text.value if message.content else "" for message in messages]

    def steps(self, run: Any) -> list[Any]:
        return list(self.runs.steps.list(run.id, thread_id=run.thread_id, order="asc"))


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
