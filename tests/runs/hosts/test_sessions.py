"""Runs on agents' sessions, against a server that plays what the client's types say of the hosted service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.beta.agents.session_create_params import SessionCreateParamsBase
from pydantic import BaseModel

from tests.runs.conftest import World, blocking
from tests.runs.hosts.common import TOOLS, add, made, plot
from tests.runs.hosts.served import their_options
from tests.runs.hosts.sessions_server import Does, SessionsServer
from tests.runs.scripted import Answers
from toolkit import (
    CallFinished,
    Event,
    Image,
    Journal,
    LimitReached,
    Limits,
    Pending,
    RunCancelled,
    RunFailed,
    RunLost,
    Sessions,
    TextDelta,
    Toolset,
    ToolsMissing,
    resume,
    run,
    tool,
)
from toolkit.runs.hosts.options import SessionsOptions

Serve = Callable[[Answers], str]
CREATE, EVENTS, FOLLOW = (
    "POST /agents/sessions",
    "POST /agents/sessions/sess_1/events",
    "GET /agents/sessions/sess_1/events",
)
TWO = [("call_1", "add", {"a": 1, "b": 2}), ("call_2", "add", {"a": 1})]
NEW, OLD = Sessions(input="Hello", agent={"model": "m"}), Sessions(input="Hello", session="sess_1")


def server(*script: Does, faults: Sequence[str] = (), **more: Any) -> SessionsServer:
    return SessionsServer(script=list(script), faults=list(faults), **more)


@pytest.mark.parametrize("place", [NEW, OLD])
def test_calls_go_to_the_tools_and_their_results_back(serve: Serve, world: World, place: Sessions) -> None:
    api = server(Does("Let me see.", calls=TWO), Does("3, I think"))
    result = world.run(serve(api), TOOLS, on=place)
    assert (result.text, result.status, result.turns, result.thread_id) == ("3, I think", "completed", 1, "sess_1")
    assert [message["id"] for message in result.messages_json] == ["msg_1", "msg_2"]
    assert result.usage is not None and result.usage.total_tokens == 12
    assert api.results[0] == {
        "type": "agent.session.input.tool_result",
        "turn_id": "turn_1",
        "call_id": "call_1",
        "success": True,
        "output": "3",
    }
    assert (api.results[1]["success"], "b: missing" in api.results[1]["error"]) == (False, True)
    follows = [FOLLOW, EVENTS]  # the stream is opened before anything is posted
    assert api.names() == ([CREATE] if place is NEW else follows) + follows
    assert result.answer_json["object"] == "agent.session"


def test_text_that_is_told_twice_is_streamed_once(serve: Serve, world: World) -> None:
    pieces, result = world.text(serve(server(Does("Let me see.", calls=TWO), Does("3, I think"))), TOOLS, on=NEW)
    assert pieces == ["Let", " me see.", "3, ", "I think"]
    assert result.text == "3, I think"


def test_what_a_new_session_is_created_with(serve: Serve, world: World) -> None:
    api = server(Does("Hi"))
    place = Sessions(input="Hello", agent={"model": "m", "tools": [{"type": "web_search"}]}, metadata={"a": "b"})
    world.run(serve(api), Toolset(add), on=place)
    [body] = api.bodies(CREATE)
    assert body["environment"] == {"type": "none"} and body["metadata"] == {"a": "b"}
    [function, search] = body["agent"]["tools"]
    assert function.keys() == {"type", "name", "description", "parameters"} and search == {"type": "web_search"}


def test_a_run_is_streamed(serve: Serve, world: World) -> None:
    events = world.events(serve(server(Does("Let me see.", calls=TWO), Does("Three"))), TOOLS, on=NEW)
    assert {one.text for one in events if isinstance(one, TextDelta)} == {"Let", " me see.", "Thr", "ee"}
    assert len([one for one in events if isinstance(one, CallFinished)]) == 2


@pytest.mark.parametrize("loses", [0, 1])
@pytest.mark.parametrize("place", [NEW, OLD])
def test_a_stream_that_breaks(serve: Serve, world: World, place: Sessions, loses: int) -> None:
    """Then the session and its turn are read; what the stream did not tell is listed."""
    api = server(Does("Let me see.", calls=TWO), Does("Three"), loses=loses)
    result = world.run(serve(api), TOOLS, on=place)
    assert (result.text, result.status, made) == ("Three", "completed", ["1+2"])
    assert [message["id"] for message in result.messages_json] == ["msg_1", "msg_2"]
    assert "GET /agents/sessions/sess_1/items" in api.names()
    assert len(api.results) == 2


@pytest.mark.parametrize("fault", ["drop", "drop-done", "500", "429"])
def test_a_post_that_is_not_answered_is_sent_again_under_its_key(serve: Serve, world: World, fault: str) -> None:
    for faults in ([fault], ["", fault]):
        made.clear()
        api = server(Does(calls=TWO[:1]), Does("Three"), faults=faults)
        result = world.run(serve(api), TOOLS, on=OLD, limits=Limits(seconds=20))
        assert (result.text, made, len(api.turns), len(api.results)) == ("Three", ["1+2"], 1, 1)


def test_a_session_whose_creation_was_not_answered_is_not_created_again(serve: Serve, world: World) -> None:
    api = server(Does("Hi"), faults=["drop-done"])
    with pytest.raises(RunLost, match="nobody can tell"):
        world.run(serve(api), on=NEW)
    assert api.names() == [CREATE]


def test_leaving_cancels_the_turn(serve: Serve, world: World) -> None:
    api = server(Does("Let me see.", calls=TWO), Does("Three"))
    url = serve(api)
    world.events(url, TOOLS, until=lambda event: isinstance(event, CallFinished), on=NEW)
    assert api.turns[0]["status"] == "cancelled"
    api = server(*[Does(calls=[(f"call_{n}", "add", {"a": 1, "b": 1})]) for n in range(3)])
    with pytest.raises(LimitReached):
        world.run(serve(api), TOOLS, on=NEW, limits=Limits(turns=2))
    assert api.turns[0]["status"] == "cancelled"


@pytest.mark.parametrize("loses", [0, 9])
def test_turns_that_do_not_end_well(serve: Serve, world: World, loses: int) -> None:
    with pytest.raises(RunFailed, match="Sorry") as caught:
        world.run(serve(server(Does(status="failed"), loses=loses)), on=NEW)
    assert caught.value.code == "server_overloaded"
    with pytest.raises(RunCancelled):
        world.run(serve(server(Does(status="cancelled"), loses=loses)), on=NEW)


def test_what_is_not_the_toolsets_to_answer(serve: Serve, world: World) -> None:
    request = {"type": "mcp_tool_call", "arguments": {}, "message": "May I?", "server_label": "s"}
    other = {"type": "mcp_approval_request", "request_id": "r", "request": request}
    api = server(Does(others=[other]))
    with pytest.raises(RunFailed, match="waits for mcp_approval_request"):
        world.run(serve(api), TOOLS, on=NEW)
    assert api.turns[0]["status"] == "in_progress"  # somebody may answer it


def test_functions_of_the_agent_that_the_toolset_lacks(serve: Serve, world: World) -> None:
    function = {"type": "function", "name": "forget", "description": "", "parameters": {}}
    api = server(Does(calls=TWO), tools=[{**function, "defer_loading": False, "async": False}])
    with pytest.raises(ToolsMissing, match="forget"):
        world.run(serve(api), TOOLS, on=OLD)
    assert made == []


def test_a_run_waits_for_approval_and_goes_on_elsewhere(serve: Serve, world: World) -> None:
    api = server(Does(calls=[("call_1", "pay", {"amount": 5})]), Does("Paid"))
    url = serve(api)
    pending = world.run(url, TOOLS, on=NEW).pending
    assert pending is not None and made == []
    with blocking(url) as client:
        done = resume(client, TOOLS, Pending.from_json(pending.to_json()), approvals={"call_1": True})
    assert (done.text, made) == ("Paid", ["paid 5"])


def test_a_run_is_resumed_in_a_later_turn(serve: Serve, world: World) -> None:
    """Its results go under another key than those of the turns before, which another process has posted."""
    asks = [Does(calls=TWO[:1]), Does(calls=[("call_2", "pay", {"amount": 5})]), Does(calls=[("call_3", *TWO[0][1:])])]
    url = serve(server(*asks, Does("Done")))
    pending = world.run(url, TOOLS, on=OLD).pending
    assert pending is not None
    with blocking(url) as client:
        done = resume(client, TOOLS, pending, approvals={"call_2": True}, limits=Limits(seconds=20))
    assert (done.text, made) == ("Done", ["1+2", "paid 5", "1+2"])


def test_a_run_is_resumed_from_the_journal(serve: Serve, world: World, tmp_path: Path) -> None:
    """The program stops while the server goes on waiting: nobody cancels the turn there."""

    class Deaf(SessionsServer):
        def take(self, event: Any) -> None:
            if not event["type"].endswith("cancel"):
                super().take(event)

    api = Deaf(script=[Does(calls=[TWO[0], ("call_2", "add", {"a": 5, "b": 5})]), Does("Finished")])
    url, journal, tools = serve(api), Journal(tmp_path / "calls.db"), Toolset(add, concurrency=1)

    def is_first(event: Event) -> bool:
        return isinstance(event, CallFinished)

    world.events(url, tools, until=is_first, on=NEW, journal=journal)
    [pending] = journal.unfinished()
    with blocking(url) as client:
        done = resume(client, tools, pending, journal=journal, on_unknown="tell")
    assert done.text == "Finished"
    assert len(set(made)) == len(made)
    assert journal.unfinished() == []


def test_images_are_shown_and_files_are_told_of(serve: Serve, world: World) -> None:
    calls = [("call_1", "plot", {"with_file": False}), ("call_2", "plot", {"with_file": True})]
    api = server(Does(calls=calls), Does("Nice"))
    world.run(serve(api), Toolset(plot), on=NEW)
    assert [part["type"] for part in api.results[0]["output"]] == ["input_text", "input_image"]
    assert "report.pdf" in api.results[1]["output"]


def test_an_image_that_is_a_file_of_the_service_is_told_of(serve: Serve, world: World) -> None:
    @tool
    def find() -> Image:
        """Find an image."""
        return Image(file_id="file-1")

    api = server(Does(calls=[("call_1", "find", {})]), Does("Nice"))
    world.run(serve(api), Toolset(find), on=NEW)
    assert api.results[0]["output"].startswith("[An image, file-1 (image/png)")


def test_answers_are_typed(serve: Serve, world: World) -> None:
    class Sum(BaseModel):
        total: int

    api = server(Does("It is 3."), Does('{"total": 3}'))
    result = world.run(serve(api), on=NEW, output_type=Sum)
    assert result.output == Sum(total=3)
    assert [turn["id"] for turn in api.turns] == ["turn_1", "turn_2"]
    assert api.bodies(CREATE)[0]["agent"]["text"]["format"]["schema"]["required"] == ["total"]
    assert result.usage is not None and result.usage.total_tokens == 24


@their_options
def test_the_options_are_those_of_the_client() -> None:
    given = SessionsOptions.__optional_keys__ - {"extra_body"}
    assert given == SessionCreateParamsBase.__annotations__.keys() - {"input", "environment"}


def test_what_cannot_be_is_said_before_anything_is_sent() -> None:
    for wrong in (
        {},
        {"agent_id": "a", "speed": 1},
        {"session": "s", "agent_id": "a"},
        {"session": 5},
        {"agent": {"tools": [{"type": "function"}]}},
        {"agent_id": "a", "input": ""},
    ):
        with pytest.raises(TypeError, match="Sessions"):
            Sessions(**{"input": "Hello", **wrong})  # type: ignore[arg-type]
    client = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    formed = Sessions(input="Hello", agent={"model": "m", "text": {"format": {"type": "text"}}})
    with pytest.raises(TypeError, match="leave that out"):
        run(client, on=formed, output_type=int)
