"""The Engine: where store, model, execution and server meet, and how they are reached from this process."""

from __future__ import annotations

import atexit
import os
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from toolkit.engine.blobs import Blobs
from toolkit.engine.code.interpreting import Interpreting
from toolkit.engine.code.sessions import Sessions
from toolkit.engine.endpoint import Endpoint
from toolkit.engine.execute import Execution
from toolkit.engine.filing import Filing
from toolkit.engine.indexing import Indexing
from toolkit.engine.model import Model
from toolkit.engine.objects.keys import digest_of
from toolkit.engine.rooms import Rooms as RunRooms
from toolkit.engine.routing import Models
from toolkit.engine.search.embedder import Embedder, Reranker
from toolkit.engine.search.retrieving import Retriever
from toolkit.engine.search.searching import Nearness
from toolkit.engine.search_models import search_models
from toolkit.engine.store import Store
from toolkit.engine.store.address import default_url, parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import EngineError
from toolkit.server.app import App
from toolkit.server.inprocess import AsyncInProcess, InProcess, LoopThread
from toolkit.server.metrics import Metrics
from toolkit.server.origins import Origins
from toolkit.server.rooms import Rooms

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from toolkit.sandbox.sandbox import Sandbox

__all__ = ["Engine", "silence_deprecation"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


_DRAIN_S: Final = 4.0
"""How long runs under way may take to get on when their server stops; then they are anybody's to go on with."""


class Engine:
    """The Assistants API on a store and a model.

    `store` is a URL (`sqlite:///assistants.db`, `sqlite:///:memory:`), or a `Store` of your own, which the engine
    closes; None is the default file in the user's data directory. The model is an OpenAI-compatible endpoint
    (`model_url`, `model_key`), or a `Model` of your own; `endpoints` are more of either, by name. `models` maps
    the names that assistants ask for to names the endpoint knows, or `endpoint/model`; `"*"` stands for any. Without an
    endpoint the model `offline` is there: no language model, but it calls tools.

    Files are searched by their words; with `embeddings_model` also by what they are about, and with `reranking_model`
    what was found is put in order by a model that reads it. Both are names at the endpoints above, unless `embeddings`
    or `reranker` is an `Endpoint` (or an object of your own) that has them. `search_memory_bytes` bounds the vectors
    that are kept in memory; what does not fit is read for every search. See docs/search.md.

    Code of the tool code_interpreter runs behind the strongest wall that this machine has, in containers of
    `sandbox_image`, or in a `sandbox` of your own; where there is no wall, runs with that tool are refused, unless
    `unsafe_code_interpreter` says that there is to be none. All sessions together take `sandbox_memory_bytes` at most
    (4 GiB, or half of the machine's memory where that is less); the least recently used end first. See
    docs/code_interpreter.md.

    `api_keys` (key -> project) count besides those that `toolkit keys create` puts into the store. Without any, `app`
    lets everybody in but web pages of strangers: `allow_hosts` and `cors_origins` go to `toolkit.server.origins`.
    `clock` tells the time by which runs expire, so that a test need not wait for it.

    `client()` and `aclient()` are ordinary `openai` clients that reach the engine without a port; `app` is the same API
    for any ASGI server. Raises EngineError when the store cannot be used.

        engine = Engine("sqlite:///assistants.db")
        client = engine.client()
        assistant = client.beta.assistants.create(model="offline")
    """

    def __init__(
        self,
        store: str | Store | None = None,
        *,
        model_url: str | None = None,
        model_key: str | None = None,
        models: Mapping[str, str] | None = None,
        model: Model | None = None,
        endpoints: Mapping[str, Model] | None = None,
        embeddings: Embedder | Endpoint | None = None,
        embeddings_model: str | None = None,
        reranker: Reranker | Endpoint | None = None,
        reranking_model: str | None = None,
        search_memory_bytes: int = 512 * 2**20,
        sandbox: Sandbox | None = None,
        sandbox_image: str | None = None,
        unsafe_code_interpreter: bool = False,
        sandbox_memory_bytes: int | None = None,
        context_tokens: int | None = None,
        run_expires_s: int = 600,
        run_max_turns: int = 100,
        concurrency: int = 64,
        api_keys: Mapping[str, str] | None = None,
        allow_hosts: Collection[str] = (),
        cors_origins: Collection[str] = (),
        unknown_fields: Literal["refuse", "warn"] = "refuse",
        clock: Callable[[], float] = time.time,
    ) -> None:
        if model is not None and model_url is not None:
            raise EngineError("Give an Engine either `model` or `model_url`, not both.")
        if model is None and model_url is not None:
            model = Endpoint(model_url, key=model_key)
        self._models = Models(model, models, endpoints)
        self._search_models = search_models(self._models, embeddings, embeddings_model, reranker, reranking_model)
        self._nearness = _nearness(search_memory_bytes) if self._search_models.embeddings else None
        self._sandbox, self._sandbox_image, self._unsafe = sandbox, sandbox_image, unsafe_code_interpreter
        self._sandbox_memory_bytes = sandbox_memory_bytes
        self._context_tokens = context_tokens
        self._run_expires_s = run_expires_s
        self._run_max_turns = run_max_turns
        self._concurrency = concurrency
        self._clock = clock
        self._keys = {digest_of(key.encode()): project for key, project in (api_keys or {}).items()}
        self._origins = Origins(allow_hosts, cors_origins)
        self._unknown_fields: Literal["refuse", "warn"] = unknown_fields
        self._store: Store = SQLite(parse(store or default_url())) if store is None or isinstance(store, str) else store
        self._blobs = Blobs(self._store.files)
        self._metrics = Metrics()
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._here: tuple[LoopThread, _Wing] | None = None
        self._closed = False
        self.app = self._wing()
        """The API as an ASGI application, for uvicorn or any other server."""
        atexit.register(self.close)

    def client(self, *, project: str = "default", **options: Any) -> OpenAI:
        """Make an `openai.OpenAI` that reaches this engine without a port. `options` are those of `OpenAI(...)`.

        Everything belongs to a project, and a client sees its own. The SDK's warnings that the Assistants API is
        deprecated are switched off, those two messages alone.
        """
        from httpx2 import Client
        from openai import OpenAI

        silence_deprecation()
        transport = InProcess(*self._inside(), project)
        return OpenAI(**{**_LOCAL, **options}, http_client=Client(transport=transport))

    def aclient(self, *, project: str = "default", **options: Any) -> AsyncOpenAI:
        """Make an `openai.AsyncOpenAI` that reaches this engine without a port. See `client`."""
        from httpx2 import AsyncClient
        from openai import AsyncOpenAI

        silence_deprecation()
        transport = AsyncInProcess(*self._inside(), project)
        return AsyncOpenAI(**{**_LOCAL, **options}, http_client=AsyncClient(transport=transport))

    def close(self) -> None:
        """Stop what is under way here (it goes on when the store is opened again) and close the store."""
        with self._lock:
            if self._closed or self._process != os.getpid():
                return
            self._closed = True
        atexit.unregister(self.close)
        thread = self._here[0] if self._here else LoopThread()
        try:
            if self._here:
                thread.run(self._here[1].aclose())
        finally:  # whatever a model of the user's raises, the store is closed
            try:
                thread.run(self._store.aclose())
            finally:
                thread.stop()
                self._blobs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _inside(self) -> tuple[_Wing, LoopThread]:
        """Give the API as it runs on this process's background loop, started when it is first needed."""
        with self._lock:
            if self._closed:
                raise EngineError("This Engine is closed. Make a new one on the same store.")
            if self._process != os.getpid():
                raise EngineError("This Engine was made before a fork. Make a new one in the new process.")
            if self._here is None:
                self._here = LoopThread(), self._wing()
                self._here[0].run(self._here[1].start())  # runs that were left behind go on at once
            return self._here[1], self._here[0]

    async def _choose_sandbox(self) -> Sandbox:
        from toolkit.sandbox.choice import chosen

        return self._sandbox or await chosen(unsafe=self._unsafe, image=self._sandbox_image)

    def _wing(self) -> _Wing:
        models = self._models
        filing = Filing(self._store, self._blobs)
        embedding, (reranker, reranking_model) = None, self._search_models.reranking or (None, "")
        embedder, embeddings_model = self._search_models.embeddings or (None, "")
        if embedder is not None:
            from toolkit.engine.embedding import Embedding  # needs numpy

            embedding = Embedding(self._store, embedder, embeddings_model)
        indexing = Indexing(self._store, filing, embedding)
        retriever = Retriever(embedder, self._nearness, reranker, reranking_model)
        execution = Execution(
            RunRooms(
                store=self._store,
                filing=filing,
                models=models,
                interpreting=Interpreting(
                    Sessions(self._choose_sandbox, memory_bytes=self._sandbox_memory_bytes), filing
                ),
                retriever=retriever,
                clock=self._clock,
                meter=self._metrics,
                context_tokens=self._context_tokens,
                max_turns=self._run_max_turns,
            ),
            indexing,
            concurrency=self._concurrency,
            run_expires_s=self._run_expires_s,
        )
        rooms = Rooms(
            self._store,
            filing,
            indexing,
            retriever,
            execution,
            models,
            self._keys,
            self._origins,
            self._unknown_fields,
            self._metrics,
        )
        return _Wing(rooms, models)


class _Wing:
    """The engine on one event loop: an ASGI application that starts with its first request, or when its server does.

    The loop of an HTTP server and the loop behind in-process clients have one each, on the same store: they work
    together as two engines on one file do.
    """

    def __init__(self, rooms: Rooms, models: Models) -> None:
        self._models, self._retriever = models, rooms.retriever
        self._execution = rooms.execution
        self._app = App(rooms)

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve a request, or the server's start and end (ASGI lifespan)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self.start()
            await self._app(scope, receive, send)

    async def start(self) -> None:
        """Begin to look after the store's runs. Harmless when it has begun."""
        await self._execution.start()

    async def aclose(self, *, drain_s: float = 0) -> None:
        """Give the runs under way here `drain_s` to get on, let go of them, and close the connections to the model."""
        await self._execution.aclose(drain_s=drain_s)
        await self._retriever.aclose()
        await self._models.aclose()

    async def _live(self, receive: _Receive, send: _Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.aclose(drain_s=_DRAIN_S)
                await send({"type": "lifespan.shutdown.complete"})
                return


_LOCAL: Mapping[str, Any] = {"api_key": "in-process", "base_url": "http://engine/v1"}


def _nearness(most_bytes: int) -> Nearness:
    from toolkit.engine.search.vectors import Matrices  # needs numpy

    return Matrices(most_bytes)


def silence_deprecation() -> None:
    """Switch off the SDK's warnings that the Assistants API is deprecated, those two messages alone."""
    for said in ("The Assistants API is deprecated in favor of the Responses API$", "deprecated$"):
        warnings.filterwarnings("ignore", said, DeprecationWarning)
