"""Runs on responses, against a server that plays what the official service does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.conversations import Conversation
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import BaseModel

from tests.runs.conftest import World, blocking
from tests.runs.hosts.common import SUM, TOOLS, add, made, plot
from tests.runs.hosts.responses_server import ResponsesServer, Says
from tests.runs.hosts.served import their_options
from tests.runs.scripted import Answers
from toolkit import (
    CallFinished,
    Event,
    File,
    Image,
    Journal,
    LimitReached,
    Limits,
    Pending,
    Responses,
    RunCancelled,
    RunError,
    RunFailed,
    RunLost,
    TextDelta,
    Toolset,
    resume,
    run,
    tool,
)
from toolkit.runs.hosts.options import ResponsesOptions

Serve = Callable[[Answers], str]
CREATE = "POST /responses"


def server(*script: Says, faults: Sequence[str] = (), **more: Any) -> ResponsesServer:
    return ResponsesServer(script=list(script), faults=list(faults), conversations={"conv_1": []}, **more)


def asks(**options: Any) -> Responses:
    return Responses(model="m", input="Hello", **options)


TWO = [SUM, ("call_2", "add", '{"a": 5, "b": 5}')]


def test_calls_go_to_the_tools_and_their_outputs_back(serve: Serve, world: World) -> None:
    api = server(Says("Let me see.", calls=TWO), Says("3 and 10"))
    result = world.run(serve(api), TOOLS, on=asks(temperature=0.5, tools=[{"type": "web_search"}]))
    assert (result.text, result.status, result.turns) == ("3 and 10", "completed", 1)
    assert [one.output.content for one in result.calls] == ["3", "10"]
    assert [message["id"] for message in result.messages_json] == ["msg_1", "msg_2"]
    assert result.usage is not None and result.usage.prompt_tokens == 14
    assert result.answer_json["id"] == "resp_2"
    first, second = api.bodies(CREATE)
    assert [tool.get("name", tool["type"]) for tool in first["tools"]] == ["add", "pay", "who", "web_search"]
    assert second["previous_response_id"] == "resp_1"
    assert second["input"] == [
        {"type": "function_call_output", "call_id": "call_1", "output": "3"},
        {"type": "function_call_output", "call_id": "call_2", "output": "10"},
    ]
    assert (second["tools"], second["temperature"]) == (first["tools"], 0.5)


def test_a_run_is_streamed(serve: Serve, world: World) -> None:
    api = server(Says("Let me see.", calls=TWO), Says("3 and 10"))
    events = world.events(serve(api), TOOLS, on=asks())
    said = [(one.text, one.message_id) for one in events if isinstance(one, TextDelta)]
    assert said == [("Let", "msg_1"), (" me see.", "msg_1"), ("3 a", "msg_2"), ("nd 10", "msg_2")]
    assert {one.finished.output.content for one in events if isinstance(one, CallFinished)} == {"3", "10"}


def test_a_stream_gives_the_same_result(serve: Serve, world: World) -> None:
    script = [Says("Let me see.", calls=[SUM]), Says("3")]
    pieces, streamed = world.text(serve(server(*script)), TOOLS, on=asks())
    whole = world.run(serve(server(*script)), TOOLS, on=asks())
    assert "".join(pieces) == "Let me see.3"
    same = {"id"}
    assert {key: value for key, value in streamed.run_json.items() if key not in same | {"answer"}} == {
        key: value for key, value in whole.run_json.items() if key not in same | {"answer"}
    }


def test_a_run_goes_on_from_an_earlier_response(serve: Serve, world: World) -> None:
    api = server(Says("Hi"), Says(calls=[SUM]), Says("3"))
    url = serve(api)
    before = world.run(url, on=asks())
    world.run(url, TOOLS, on=asks(previous_response_id=before.answer_json["id"]))
    assert [body.get("previous_response_id") for body in api.bodies(CREATE)] == [None, "resp_1", "resp_2"]


def test_nothing_is_kept_at_the_server_when_told_so(serve: Serve, world: World) -> None:
    api = server(Says(calls=[SUM]), Says("3"), Says("Bye"))
    url = serve(api)
    result = world.run(url, TOOLS, on=asks(store=False))
    first, second = api.bodies(CREATE)
    assert "previous_response_id" not in second
    assert [item.get("type", "said") for item in second["input"]] == [
        "said",
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert first["store"] is second["store"] is False
    more: Any = [*result.history, {"role": "user", "content": "Thanks"}]
    assert world.run(url, on=Responses(model="m", input=more, store=False)).text == "Bye"


CONVERSATION = Conversation(id="conv_1", created_at=1, metadata={}, object="conversation")


@pytest.mark.parametrize("conversation", ["conv_1", CONVERSATION, {"id": "conv_1"}])
def test_a_conversation_takes_what_is_said(serve: Serve, world: World, conversation: Any) -> None:
    api = server(Says(calls=[SUM]), Says("3"))
    result = world.run(serve(api), TOOLS, on=asks(conversation=conversation))
    assert (result.text, result.thread_id) == ("3", "conv_1")
    assert all(body["conversation"] == "conv_1" for body in api.bodies(CREATE))
    assert [item["type"] for item in api.conversations["conv_1"]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "message",
    ]


@pytest.mark.parametrize("fault", ["drop", "drop-done", "429", "500"])
def test_what_is_not_answered_is_sent_again(serve: Serve, world: World, fault: str) -> None:
    for faults in ([fault], ["", fault]):
        made.clear()
        api = server(*([Says(calls=[SUM])] * (1 + (faults == ["drop-done"]))), Says("3"), Says("3"), faults=faults)
        assert world.run(serve(api), TOOLS, on=asks()).text == "3"
        assert made == ["1+2"]
        assert len(api.requests) == 3


@pytest.mark.parametrize("fault", ["cut:3", "broken:6", "error:3"])
def test_a_stream_that_breaks_is_begun_anew(serve: Serve, world: World, fault: str) -> None:
    api = server(Says("Hello there"), Says("Hello again"), faults=[fault])
    assert world.text(serve(api), on=asks())[1].text == "Hello again"
    assert api.names() == [CREATE, CREATE]


@pytest.mark.parametrize("fault", ["drop-done", "500"])
def test_a_first_request_into_a_conversation_is_not_sent_again(serve: Serve, world: World, fault: str) -> None:
    api = server(Says("Hi"), faults=[fault])
    with pytest.raises(RunLost, match="nobody can tell"):
        world.run(serve(api), on=asks(conversation="conv_1"))
    assert len(api.requests) == 1


@pytest.mark.parametrize(("fault", "creations"), [("drop-done", 2), ("drop", 3)])
@pytest.mark.parametrize("streams", [False, True])
def test_outputs_are_looked_for_in_the_conversation(
    serve: Serve, world: World, fault: str, creations: int, streams: bool
) -> None:
    api = server(Says(calls=TWO), Says("Both"), faults=["", fault])
    url = serve(api)
    place = asks(conversation="conv_1")
    result = world.text(url, TOOLS, on=place)[1] if streams else world.run(url, TOOLS, on=place)
    assert (result.text, len(made)) == ("Both", 2)
    assert api.names().count(CREATE) == creations
    assert "GET /conversations/conv_1/items" in api.names()


def test_calls_found_in_the_conversation_are_answered(serve: Serve, world: World) -> None:
    again = [("call_9", "add", '{"a": 9, "b": 9}')]
    api = server(Says(calls=[SUM]), Says(calls=again), Says("Done"), faults=["", "drop-done"])
    result = world.run(serve(api), TOOLS, on=asks(conversation="conv_1"))
    assert (result.text, made) == ("Done", ["1+2", "9+9"])


# -- in the background -------------------------------------------------------------------------------------------------


def test_a_response_in_the_background_is_read_until_it_has_ended(serve: Serve, world: World) -> None:
    api = server(Says(calls=[SUM], polls=2), Says("3", polls=1))
    result = world.run(serve(api), TOOLS, on=asks(background=True))
    assert (result.text, made) == ("3", ["1+2"])
    assert api.names() == [CREATE, *["GET /responses/resp_1"] * 3, CREATE, *["GET /responses/resp_2"] * 2]
    assert result.usage is not None and result.usage.total_tokens == 24
    assert len(result.messages_json) == 1


def test_a_stream_in_the_background_is_not_begun_anew(serve: Serve, world: World) -> None:
    api = server(Says("Hello there", polls=1), faults=["cut:4"])
    pieces, result = world.text(serve(api), on=asks(background=True))
    assert ("".join(pieces), result.text) == ("Hello there", "Hello there")
    assert api.names() == [CREATE, *["GET /responses/resp_1"] * 2]


def test_leaving_cancels_a_response_in_the_background(serve: Serve, world: World) -> None:
    api = server(Says("Hello there", polls=99))
    with pytest.raises(LimitReached):
        world.run(serve(api), on=asks(background=True), limits=Limits(seconds=0.2))
    assert api.names()[-1] == "POST /responses/resp_1/cancel"
    api = server(Says("Hello there", polls=99))
    world.events(serve(api), until=lambda event: isinstance(event, TextDelta), on=asks(background=True))
    assert api.names()[-1] == "POST /responses/resp_1/cancel"
    api = server(Says("Hello there"))
    world.events(serve(api), until=lambda event: isinstance(event, TextDelta), on=asks())
    assert api.names() == [CREATE]  # there, closing the connection is all


def test_a_response_that_somebody_cancels(serve: Serve, world: World) -> None:
    api = server(Says(status="cancelled", polls=1))
    with pytest.raises(RunCancelled):
        world.run(serve(api), on=asks(background=True))


# -- ends --------------------------------------------------------------------------------------------------------------


def test_a_response_that_fails(serve: Serve, world: World) -> None:
    for failing in (
        lambda url: world.run(url, on=asks()),
        lambda url: world.text(url, on=asks()),
    ):
        with pytest.raises(RunFailed, match="Sorry") as caught:
            failing(serve(server(Says(status="failed"))))
        assert caught.value.code == "server_error"


@pytest.mark.parametrize(("reason", "said"), [("max_output_tokens", "max_completion_tokens"), ("content_filter",) * 2])
def test_an_answer_that_is_cut_off(serve: Serve, world: World, reason: str, said: str) -> None:
    script = Says("Well,", calls=[("call_1", "add", '{"a": 1, ')], status="incomplete", reason=reason)
    result = world.run(serve(server(script)), TOOLS, on=asks())
    assert (result.status, result.text, made) == ("incomplete", "Well,", [])
    assert result.run_json["incomplete_details"] == {"reason": said}


def test_a_refusal_by_the_model_is_an_answer(serve: Serve, world: World) -> None:
    result = world.text(serve(server(Says(refusal="I will not."))), on=asks())[1]
    assert result.messages_json[0]["content"] == [{"type": "refusal", "refusal": "I will not."}]


def test_a_refusal_by_the_server_later_on_carries_the_run(serve: Serve, world: World) -> None:
    with pytest.raises(RunError, match="refused") as caught:
        world.run(serve(server(Says(calls=[SUM]), faults=["", "400"])), TOOLS, on=asks())
    assert caught.value.result is not None and len(caught.value.result.calls) == 1


# -- approvals, the journal, typed answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"store": False}, {"conversation": "conv_1"}])
def test_a_run_waits_for_approval_and_goes_on_elsewhere(serve: Serve, world: World, options: Any) -> None:
    api = server(Says(calls=[("call_1", "pay", '{"amount": 5}')]), Says("Paid"))
    url = serve(api)
    pending = world.run(url, TOOLS, on=asks(**options)).pending
    assert pending is not None and made == []
    with blocking(url) as client:
        done = resume(client, TOOLS, Pending.from_json(pending.to_json()), approvals={"call_1": True})
    assert (done.text, made) == ("Paid", ["paid 5"])


@pytest.mark.parametrize("options", [{}, {"store": False}, {"conversation": "conv_1"}])
def test_a_run_is_resumed_from_the_journal(serve: Serve, world: World, tmp_path: Path, options: Any) -> None:
    api = server(Says(calls=TWO), Says("Finished"))
    url, journal, tools = serve(api), Journal(tmp_path / "calls.db"), Toolset(add, concurrency=1)

    def is_first(event: Event) -> bool:
        return isinstance(event, CallFinished)

    world.events(url, tools, until=is_first, on=asks(**options), journal=journal)
    [pending] = journal.unfinished()
    with blocking(url) as client:
        done = resume(client, tools, pending, journal=journal, on_unknown="tell")
    assert done.text == "Finished"
    assert len(set(made)) == len(made)
    assert journal.unfinished() == []


def test_images_and_files_are_shown(serve: Serve, world: World, tmp_path: Path) -> None:
    api = server(Says(calls=[("call_1", "plot", '{"with_file": true}')]), Says("Nice"))
    world.run(serve(api), Toolset(plot), on=asks(), journal=tmp_path / "calls.db")
    [output] = api.bodies(CREATE)[1]["input"]
    assert [part["type"] for part in output["output"]] == ["input_text", "input_image", "input_file"]


def test_images_and_files_of_the_service_are_named(serve: Serve, world: World) -> None:
    @tool
    def find() -> list[object]:
        """Find what there is."""
        return [Image(file_id="file-1"), File(file_id="file-2")]

    api = server(Says(calls=[("call_1", "find", "{}")]), Says("Nice"))
    world.run(serve(api), Toolset(find), on=asks())
    [output] = api.bodies(CREATE)[1]["input"]
    assert [part["file_id"] for part in output["output"]] == ["file-1", "file-2"]


def test_answers_are_typed(serve: Serve, world: World) -> None:
    class Sum(BaseModel):
        total: int

    api = server(Says(calls=[SUM]), Says("It is 3."), Says('{"total": 3}'))
    result = world.run(serve(api), TOOLS, on=asks(text={"verbosity": "low"}), output_type=Sum)
    assert result.output == Sum(total=3)
    bodies = api.bodies(CREATE)
    assert bodies[0]["text"]["format"]["strict"] is True and bodies[0]["text"]["verbosity"] == "low"
    assert bodies[2]["previous_response_id"] == "resp_2" and "not fit" in bodies[2]["input"][0]["content"]


# -- what is asked for -------------------------------------------------------------------------------------------------


@their_options
def test_the_options_are_those_of_the_client() -> None:
    ours = {"input", "model", "conversation", "previous_response_id"}
    given = ResponsesOptions.__optional_keys__ - {"extra_body"}
    assert given == ResponseCreateParamsBase.__annotations__.keys() - ours


def test_what_cannot_be_is_said_before_anything_is_sent() -> None:
    for wrong in (
        {"temprature": 1},
        {"conversation": "conv_1", "previous_response_id": "resp_1"},
        {"store": False, "background": True},
        {"store": False, "conversation": "conv_1"},
        {"tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}]},
        {"conversation": 5},
        {"input": ""},
        {"input": 5},
    ):
        with pytest.raises(TypeError, match="Responses"):
            Responses(**{"model": "m", "input": "Hello", **wrong})  # type: ignore[arg-type]
    client = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    with pytest.raises(TypeError, match="leave that out"):
        run(client, on=asks(text={"format": {"type": "text"}}), output_type=int)


def test_the_stream_options_are_those_of_streams(serve: Serve, world: World) -> None:
    place = asks(stream_options={"include_obfuscation": False})
    api = server(Says("Hi"), Says("Hi"))
    url = serve(api)
    world.run(url, on=place)
    world.text(url, on=place)
    assert ["stream_options" in body for body in api.bodies(CREATE)] == [False, True]
