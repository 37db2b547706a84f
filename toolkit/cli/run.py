"""`toolkit run`: an assistant with the tools of any module, on the user's own request."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import urlsplit

import typer

from toolkit import Toolset
from toolkit.assistants.instructions import joined
from toolkit.cli import settings
from toolkit.cli.config import ConfigFile, config_of
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import Answering, answering_of, models_at
from toolkit.cli.target import TargetArgument, toolset_of
from toolkit.cli.tracing import traced
from toolkit.engine.model import ModelError
from toolkit.engine.routing import Models

if TYPE_CHECKING:
    from openai import OpenAI

    from toolkit.cli.screen import Screen

__all__ = ["run"]


def run(
    target: TargetArgument,
    request: Annotated[str, typer.Argument(metavar="REQUEST", help="What you ask, in your own words.")],
    model: settings.ModelName = None,
    instructions: Annotated[str, typer.Option(metavar="TEXT", help="What the assistant is told first.")] = "",
    thread: Annotated[str | None, typer.Option(metavar="ID", help="Go on in this thread.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Show each object; read the thread back at the end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve every call that needs it, without asking.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    model_url: settings.ModelUrl = None,
    model_key: settings.ModelKey = None,
    model_key_file: settings.ModelKeyFile = None,
    config: ConfigFile = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Use this server, such as one of toolkit serve.")
    ] = None,
    url_key: Annotated[str | None, typer.Option(envvar="TOOLKIT_URL_KEY", metavar="KEY", help="Its key.")] = None,
) -> None:
    """Run an assistant with a module's tools on a request.

    Text, calls and results are shown as they happen. You are asked about calls that need approval.
    """
    from openai import DefaultHttpxClient, OpenAI

    from toolkit.cli.screen import Screen
    from toolkit.engine import Engine

    tools = toolset_of(target)
    answering = Answering()
    if url:
        settings.check_server(url)
    else:
        said = config_of(config)
        default = settings.model_settings(model_url, model_key, model_key_file, ambient=not said.endpoints)
        answering = answering_of(default, said, {})
    if not request.strip():
        raise Mistake("Ask for something: the request is empty.")
    name = _model_name(model, url, answering)
    if not url:
        _check_endpoint(name, answering)
    if url:
        here = DefaultHttpxClient(trust_env=False) if settings.is_loopback(urlsplit(url).hostname or "") else None
        with OpenAI(base_url=url, api_key=url_key or "none", http_client=here) as client:  # no proxy leads to here
            _converse(client, tools, name, instructions, request, thread, Screen(steps=steps), says_yes=yes)
        return
    place = settings.store_url(store, data_dir)
    with Engine(place, model=answering.default, endpoints=answering.endpoints, models=answering.names) as engine:
        _converse(engine.client(), tools, name, instructions, request, thread, Screen(steps=steps), says_yes=yes)


def _model_name(model: str | None, url: str | None, answering: Answering) -> str:
    model = model or answering.names.get("*")
    places = url or ", ".join(answering.urls.values())
    if model and not places and model != "offline":
        raise Mistake(
            f"The model {model!r} needs an endpoint: set TOOLKIT_MODEL_URL, or OPENAI_API_KEY.\n"
            "Without one: --model offline"
        )
    if not model and places:
        raise Mistake(f"Which model at {places}? Set TOOLKIT_MODEL=NAME or give --model NAME.")
    return model or "offline"


def _check_endpoint(name: str, answering: Answering) -> None:
    """See that the endpoint answers: a run would try again for minutes, and a person waits. Raises Mistake."""
    try:
        picked, _ = Models(answering.default, answering.names, answering.endpoints).pick(name)
    except ModelError as error:
        raise Mistake(error.message) from error
    for endpoint, model in answering.all.items():
        if model is picked:
            try:
                models_at(model, answering.urls[endpoint])
            except ModelError as error:
                if error.retry:  # else it does answer, though it may list no models, and the run will tell
                    raise Mistake(error.message) from error


def _converse(
    client: OpenAI,
    tools: Toolset,
    model: str,
    instructions: str,
    request: str,
    thread: str | None,
    screen: Screen,
    *,
    says_yes: bool,
) -> None:
    from toolkit import stream
    from toolkit.cli.approving import Person
    from toolkit.runs.result import text_of

    began = time.monotonic()
    with traced(), _assistant(client, tools, model, instructions) as assistant_id:
        screen.step("assistant", f"{assistant_id}, model {model}, {len(tools)} tools")
        screen.line("you", request, "bold")
        person = Person(screen, says_yes=says_yes)
        with stream(
            client, tools, assistant_id=assistant_id, thread_id=thread, input=request, approve=person
        ) as events:
            for event in events:
                screen.show(event)
    screen.summary(events.result, time.monotonic() - began)
    screen.step("thread", f"{events.result.thread_id} now holds:")
    for message in _messages(client, events.result.thread_id):
        screen.step(str(message["role"]), text_of(message))


@contextmanager
def _assistant(client: OpenAI, tools: Toolset, model: str, instructions: str) -> Generator[str]:
    """Make an assistant for this run and take it away again; the thread stays.

    Plain posts: the client's own method greets everybody with a deprecation warning.
    """
    told = joined(instructions, tools.instructions) or None
    body = {"model": model, "instructions": told, "tools": tools.definitions, "name": "toolkit run"}
    assistant_id = str(_sent(client.post("/assistants", body=body, cast_to=object, options=V2))["id"])
    try:
        yield assistant_id
    finally:
        client.delete(f"/assistants/{assistant_id}", cast_to=object, options=V2)


def _messages(client: OpenAI, thread_id: str) -> list[Mapping[str, Any]]:
    page = client.get(f"/threads/{thread_id}/messages?order=asc&limit=100", cast_to=object, options=V2)
    return cast("list[Mapping[str, Any]]", _sent(page)["data"])


def _sent(answer: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", answer)


V2: Any = {"headers": {"OpenAI-Beta": "assistants=v2"}}
