"""`toolkit serve`: the Assistants API over HTTP, for any client."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from toolkit.cli import code, meaning, origins, settings, tls
from toolkit.cli.config import ConfigFile, config_of
from toolkit.cli.keys import Held, held_in
from toolkit.cli.logs import log_to_stderr
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import Answering, answering_of, models_at, offers
from toolkit.cli.port import bound
from toolkit.cli.tracing import traced
from toolkit.engine.model import ModelError
from toolkit.engine.store.address import default_url

if TYPE_CHECKING:
    import uvicorn

    from toolkit.engine import Engine

__all__ = ["serve"]

DRAIN_S = 4
"""How long answers under way may take to end after a signal; runs themselves go on at the next start."""

KEEP_ALIVE_S = 75
"""How long an idle connection stays open. Clients let go of theirs after 5 s: were we the first, as uvicorn is by
default, a request already on its way would be lost."""


def serve(
    host: Annotated[
        str, typer.Option(envvar="TOOLKIT_HOST", metavar="ADDRESS", help="Any but this machine's own needs a key.")
    ] = ("127.0.0.1"),
    port: Annotated[
        int, typer.Option(envvar="TOOLKIT_PORT", metavar="PORT", min=0, max=65535, help="0 takes any free one.")
    ] = 8000,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    model_url: settings.ModelUrl = None,
    model_key: settings.ModelKey = None,
    model_key_file: settings.ModelKeyFile = None,
    model: Annotated[
        str | None, typer.Option(envvar="TOOLKIT_MODEL", metavar="NAME", help="Used for every name: the map '*=NAME'.")
    ] = None,
    model_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ASKED=USED",
            help="Use another name than the one asked; repeatable, * is any.  [env var: TOOLKIT_MODEL_MAP]",
        ),
    ] = None,
    config: ConfigFile = None,
    embeddings_model: meaning.EmbeddingsModel = None,
    embeddings_url: meaning.EmbeddingsUrl = None,
    embeddings_key_file: meaning.EmbeddingsKeyFile = None,
    rerank_model: meaning.RerankModel = None,
    rerank_url: meaning.RerankUrl = None,
    rerank_key_file: meaning.RerankKeyFile = None,
    search_memory: meaning.SearchMemory = 512,
    sandbox_memory: code.SandboxMemory = None,
    sandbox_image: code.SandboxImage = None,
    unsafe_code_interpreter: code.Unsafe = False,
    check_model: Annotated[
        bool, typer.Option(envvar="TOOLKIT_CHECK_MODEL", help="Ask each endpoint for its models at start.")
    ] = True,
    api_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]KEY", help="Key clients must send, NAME its project.  [env var: TOOLKIT_API_KEYS]"
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(envvar="TOOLKIT_API_KEY_FILE", metavar="FILE", help="Such keys, one a line.")
    ] = None,
    tls_cert: tls.Cert = None,
    tls_key: tls.Key = None,
    allow_host: origins.AllowHost = None,
    cors_origin: origins.CorsOrigin = None,
    run_expires_s: Annotated[
        int,
        typer.Option(
            envvar="TOOLKIT_RUN_EXPIRES_S", metavar="SECONDS", min=1, help="How long a run may take, waiting included."
        ),
    ] = 600,
    run_max_turns: Annotated[
        int,
        typer.Option(
            envvar="TOOLKIT_RUN_MAX_TURNS", metavar="TURNS", min=1, help="How often one run may ask for tools."
        ),
    ] = 100,
    unknown_fields: Annotated[
        Literal["refuse", "warn"], typer.Option(envvar="TOOLKIT_UNKNOWN_FIELDS", help="Fields the API does not know.")
    ] = "refuse",
    context_tokens: Annotated[
        int | None,
        typer.Option(envvar="TOOLKIT_CONTEXT_TOKENS", metavar="TOKENS", min=1, help="The model's context window."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(envvar="TOOLKIT_CONCURRENCY", metavar="CALLS", min=1, help="Model calls at once.")
    ] = 64,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(envvar="TOOLKIT_LOG_LEVEL")
    ] = "warning",
    log_format: Annotated[Literal["text", "json"], typer.Option(envvar="TOOLKIT_LOG_FORMAT")] = "text",
) -> None:
    """Serve the Assistants API over HTTP, for any client.

    Every option is an environment variable too: TOOLKIT_PORT=8001.
    """
    from toolkit.engine import Engine  # here, as in the other commands: `toolkit call` is not to wait for a server

    said = config_of(config)
    default = settings.model_settings(model_url, model_key, model_key_file, ambient=not said.endpoints)
    answering = answering_of(default, said, settings.name_map(model, model_map or []))
    about = meaning.meaning_of(
        said,
        answering,
        (embeddings_model, embeddings_url, embeddings_key_file),
        (rerank_model, rerank_url, rerank_key_file),
    )
    code.check(unsafe_code_interpreter, sandbox_image)
    keys = settings.api_keys(api_key or [], api_key_file)
    place = settings.store_url(store, data_dir) or default_url()
    held = _held(place, keys)
    secured = tls.checked(tls_cert, tls_key)
    _check_address(host, port, held, answering)
    pages = origins.cors_origins(cors_origin, keys=held.ever)
    if check_model:
        _check_endpoints(answering)
    log_to_stderr(log_level, log_format)
    with (
        traced(),
        Engine(
            place,
            model=answering.default,
            endpoints=answering.endpoints,
            models=answering.names,
            **about.settings,
            search_memory_bytes=search_memory * 2**20,
            sandbox_memory_bytes=sandbox_memory and sandbox_memory * 2**20,
            sandbox_image=sandbox_image,
            unsafe_code_interpreter=unsafe_code_interpreter,
            context_tokens=context_tokens,
            run_expires_s=run_expires_s,
            run_max_turns=run_max_turns,
            concurrency=concurrency,
            api_keys=keys,
            allow_hosts=origins.listed(allow_host),
            cors_origins=pages,
            unknown_fields=unknown_fields,
        ) as engine,
        bound(host, port) as listener,
    ):
        server = _server(engine, secured)
        _greet(_url(listener, host, secured), place, answering, about, held)
        if unsafe_code_interpreter:
            typer.echo("  UNSAFE code_interpreter has no wall: a model's code can do whatever you can")
        server.run(sockets=[listener])


def _held(place: str, given: Mapping[str, str]) -> Held:
    """Add the keys that were given to those in the store."""
    stored = held_in(place)
    return Held(stored.ever or bool(given), sorted({*stored.projects, *given.values()}))


def _check_address(host: str, port: int, held: Held, answering: Answering) -> None:
    if not settings.is_loopback(host) and not held.projects:
        raise Mistake(
            f"Without a key only this machine may reach the server, and {host} is open to others.\n"
            "Make one with toolkit keys create, or give --api-key-file FILE; or leave --host out."
        )
    for name, url in answering.urls.items():
        if settings.is_own_address(url, host, port):
            where = f"in [endpoints.{name}] of the config file" if name else "with --model-url"
            raise Mistake(
                f"The model URL {url} is this server's own address. Give the model's {where}, or another --port."
            )


def _check_endpoints(answering: Answering) -> None:
    """See that each endpoint answers and knows the names it will be sent. Raises Mistake."""
    used = answering.used()
    for endpoint, model in answering.all.items():
        url = answering.urls[endpoint]
        try:
            models = models_at(model, url)
        except ModelError as error:
            raise Mistake(f"{error.message}\nTo start without asking it: --no-check-model") from error
        for name in used.get(endpoint, ()):
            if not offers(models, name):
                raise Mistake(
                    f"The model endpoint {url} has no model {name!r}. It has: {', '.join(models[:8])}\n"
                    "Name one of these; or, to start without asking it: --no-check-model"
                )


def _url(listener: socket.socket, host: str, secured: tls.Tls | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secured else 'http'}://{shown}:{listener.getsockname()[1]}/v1"


def _greet(url: str, place: str, answering: Answering, about: meaning.Meaning, held: Held) -> None:
    mapped = ", ".join(f"{asked} -> {used}" for asked, used in answering.names.items())
    places = ", ".join(f"{name} {url}".strip() for name, url in answering.urls.items())
    model = f"{places} ({mapped or 'names as asked'})" if places else "offline only; see --model-url"
    key = f"needed, for {', '.join(held.projects) or 'nobody: toolkit keys create'}" if held.ever else "not needed"
    typer.echo(url)
    models = [name for name in (about.embeddings_model, about.reranking_model) if name]
    search = f"\n  search words, {', '.join(models)}" if models else ""
    typer.echo(f"  store  {place}\n  model  {model}{search}\n  key    {key}")
    typer.echo(f"  use    OpenAI(base_url={url!r}, api_key={'...' if held.ever else 'none'!r})\n  stop   Ctrl-C")


def _server(engine: Engine, secured: tls.Tls | None) -> uvicorn.Server:
    """Make a server that ends in order on SIGINT and SIGTERM, from the moment its address is told."""
    import uvicorn

    from toolkit.server.connections import Connection, room_for

    class Bounded(Connection):
        bounds = replace(Connection.bounds, connections=room_for(Connection.bounds.connections))

    server = uvicorn.Server(
        uvicorn.Config(
            engine.app,
            http=Bounded,
            ws="none",
            log_config=None,
            access_log=False,  # ours has no query strings
            timeout_graceful_shutdown=DRAIN_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            server_header=False,
            **tls.options_of(secured),
            proxy_headers=False,  # nobody here asks for the client's address
            lifespan="on",
        )
    )

    def leave(number: int, frame: object) -> None:
        # uvicorn raises the signal once more after it has shut down: a wish that was fulfilled is no failure
        server.should_exit = True

    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, leave)
    return server
