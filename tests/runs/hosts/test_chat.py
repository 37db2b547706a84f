"""Runs on chat completions, against a server that plays what the official service does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, OpenAI
from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from tests.runs.conftest import World, blocking
from tests.runs.hosts.chat_server import ChatServer, Says
from tests.runs.hosts.common import SUM, TOOLS, add, made, plot, who
from tests.runs.hosts.served import their_options
from tests.runs.scripted import Answers
from toolkit import (
    CallFinished,
    CallStarted,
    Chat,
    Deny,
    Event,
    Journal,
    LimitReached,
    Limits,
    Pending,
    Retry,
    RunError,
    RunFailed,
    RunLost,
    TextDelta,
    Toolset,
    ToolsMissing,
    resume,
    run,
    stream,
    tool,
)
from toolkit.runs.hosts.options import ChatOptions

Serve = Callable[[Answers], str]


def server(*script: Says, faults: Sequence[str] = ()) -> ChatServer:
    return ChatServer(script=list(script), faults=list(faults))


def chat(**options: Any) -> Chat:
    return Chat(model="m", messages="Hello", **options)


def test_calls_go_to_the_tools_and_their_outputs_back(serve: Serve, world: World) -> None:
    api = server(Says("Let me see.", calls=[SUM, ("call_2", "add", '{"a": 5, "b": 5}')]), Says("3 and 10"))
    result = world.run(serve(api), TOOLS, on=chat(temperature=0.5))
    assert (result.text, result.status, result.turns) == ("3 and 10", "completed", 1)
    assert [one.output.content for one in result.calls] == ["3", "10"]
    assert [message["content"][0]["text"]["value"] for message in result.messages_json] == ["Let me see.", "3 and 10"]
    assert result.usage is not None and result.usage.total_tokens == 24
    first, second = api.bodies("POST /chat/completions")
    assert first["temperature"] == 0.5
    assert [one["function"]["name"] for one in first["tools"]] == ["add", "pay", "who"]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool", "tool"]
    assert second["messages"][-1] == {"role": "tool", "tool_call_id": "call_2", "content": "10"}
    assert second.keys() == first.keys()


def test_the_conversation_can_be_gone_on_with(serve: Serve, world: World) -> None:
    api = server(Says(calls=[SUM]), Says("3"), Says("Bye"))
    url = serve(api)
    result = world.run(url, TOOLS, on=chat())
    world.run(url, TOOLS, on=Chat(model="m", messages=[*result.history, {"role": "user", "content": "Thanks"}]))  # type: ignore[list-item]
    roles = [message["role"] for message in api.bodies("POST /chat/completions")[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_a_run_is_streamed(serve: Serve, world: World) -> None:
    api = server(Says("Let me see.", calls=[SUM, ("call_2", "add", '{"a": 5, "b": 5}')]), Says("3 and 10"))
    events = world.events(serve(api), TOOLS, on=chat())
    assert [(one.text, one.message_id) for one in events if isinstance(one, TextDelta)] == [
        ("Let", "chatcmpl-1"),
        (" me see.", "chatcmpl-1"),
        ("3 a", "chatcmpl-2"),
        ("nd 10", "chatcmpl-2"),
    ]
    assert [one.call.id for one in events if isinstance(one, CallStarted)] == ["call_1", "call_2"]
    assert {one.finished.output.content for one in events if isinstance(one, CallFinished)} == {"3", "10"}
    assert all(body["stream"] for body in api.bodies("POST /chat/completions"))


def test_a_stream_gives_the_same_result(serve: Serve, world: World) -> None:
    script = [Says("Let me see.", calls=[SUM]), Says("3")]
    pieces, streamed = world.text(serve(server(*script)), TOOLS, on=chat())
    whole = world.run(serve(server(*script)), TOOLS, on=chat())
    assert "".join(pieces) == "Let me see.3"
    assert (streamed.history, streamed.usage, streamed.text) == (whole.history, whole.usage, whole.text)


def test_usage_is_not_asked_for_when_told_so(serve: Serve, world: World) -> None:
    _, result = world.text(serve(server(Says("Hi"))), on=chat(stream_options={"include_usage": False}))
    assert (result.text, result.usage) == ("Hi", None)


@pytest.mark.parametrize("fault", ["drop", "drop-done", "429", "500", "503"])
def test_what_is_not_answered_is_sent_again(serve: Serve, world: World, fault: str) -> None:
    script = [Says(calls=[SUM]), *([Says("3")] * 2)]
    api = server(*script, faults=["", fault])
    result = world.run(serve(api), TOOLS, on=chat())
    assert (result.text, made) == ("3", ["1+2"])
    assert len(api.requests) == 3


@pytest.mark.parametrize("fault", ["cut:2", "broken:2", "error:2"])
def test_a_stream_that_breaks_is_begun_anew(serve: Serve, world: World, fault: str) -> None:
    api = server(Says("Hello there"), Says("Hello again"), faults=[fault])
    pieces, result = world.text(serve(api), on=chat())
    assert result.text == "Hello again"
    assert "".join(pieces).endswith("Hello again")
    assert len(result.messages_json) == 1


def test_a_call_of_a_stream_that_breaks_is_not_made(serve: Serve, world: World) -> None:
    api = server(Says(calls=[SUM]), Says("no calls"), faults=["cut:3"])
    assert world.text(serve(api), TOOLS, on=chat())[1].text == "no calls"
    assert made == []


def test_a_server_that_never_says_why_it_stopped(serve: Serve, world: World) -> None:
    class Silent(ChatServer):
        def do(self, request: Any) -> Any:
            events = super().do(request)
            for _, chunk in events:  # type: ignore[union-attr]
                for choice in chunk["choices"]:
                    choice["finish_reason"] = None
            return events

    api = Silent(script=[Says(calls=[SUM]), Says("3")])
    assert world.text(serve(api), TOOLS, on=chat())[1].text == "3"
    with pytest.raises(RunLost):  # nor that it has stopped at all
        world.text(serve(Silent(script=[Says("half")] * 4, ends_with="")), TOOLS, on=chat())


def test_a_server_that_does_not_stream(serve: Serve, world: World) -> None:
    class Whole(ChatServer):
        def do(self, request: Any) -> Any:
            request.body.pop("stream")
            request.body.pop("stream_options")
            return super().do(request)

    pieces, result = world.text(serve(Whole(script=[Says(calls=[SUM]), Says("3")])), TOOLS, on=chat())
    assert (pieces, result.text) == (["3"], "3")


@pytest.mark.parametrize("fault", ["400", "401", "404"])
def test_a_refusal_of_the_first_request_is_the_clients_own_error(serve: Serve, world: World, fault: str) -> None:
    api = server(faults=[fault])
    with pytest.raises(APIStatusError):
        world.run(serve(api), TOOLS, on=chat())
    assert len(api.requests) == 1


def test_a_refusal_later_on_carries_the_run(serve: Serve, world: World) -> None:
    api = server(Says(calls=[SUM]), faults=["", "400"])
    with pytest.raises(RunError, match="refused") as caught:
        world.run(serve(api), TOOLS, on=chat())
    assert isinstance(caught.value.__cause__, BadRequestError)
    assert caught.value.result is not None
    assert [one.output.content for one in caught.value.result.calls] == ["3"]
    assert len(api.requests) == 2


def test_no_completion_is_no_answer(serve: Serve, world: World) -> None:
    class Empty(ChatServer):
        def do(self, request: Any) -> Any:
            return {"object": "chat.completion", "choices": []}

    with pytest.raises(RunLost):
        world.run(serve(Empty()), TOOLS, on=chat(), limits=Limits(seconds=5))


def test_a_refusal_by_the_model_is_an_answer(serve: Serve, world: World) -> None:
    for result in (
        world.run(serve(server(Says(refusal="I will not."))), on=chat()),
        world.text(serve(server(Says(refusal="I will not."))), on=chat())[1],
    ):
        assert (result.status, result.text) == ("completed", "")
        assert result.messages_json[0]["content"] == [{"type": "refusal", "refusal": "I will not."}]


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_completion_tokens"), ("content_filter",) * 2])
def test_an_answer_that_is_cut_off(serve: Serve, world: World, finish: Any, reason: str) -> None:
    api = server(Says("Well,", calls=[("call_1", "add", '{"a": 1, ')], finish=finish))
    result = world.run(serve(api), TOOLS, on=chat())
    assert (result.status, result.text, made) == ("incomplete", "Well,", [])
    assert result.run_json["incomplete_details"] == {"reason": reason}
    assert "tool_calls" not in result.history[-1]  # so that the conversation can be gone on with


def test_broken_arguments_and_unknown_tools_are_told_to_the_model(serve: Serve, world: World) -> None:
    api = server(Says(calls=[("call_1", "add", '{"a": 1,'), ("call_2", "nothing", "{}"), SUM[:0] or SUM]), Says("Oh"))
    api.script[0].calls = [("call_1", "add", '{"a": 1,'), ("call_2", "nothing", "{}")]
    result = world.run(serve(api), TOOLS, on=chat())
    assert [one.output.ok for one in result.calls] == [False, False]
    told = api.bodies("POST /chat/completions")[-1]["messages"][-2:]
    assert "JSON" in told[0]["content"] and "nothing" in told[1]["content"]


def test_ids_that_a_server_uses_twice_are_told_apart(serve: Serve, world: World, tmp_path: Path) -> None:
    again = ("call_1", "add", '{"a": 3, "b": 4}')
    api = server(Says(calls=[SUM]), Says(calls=[again, again]), Says("Done"))
    result = world.run(serve(api), TOOLS, on=chat(), journal=tmp_path / "calls.db")
    assert made == ["1+2", "3+4", "3+4"]
    assert len({one.call.id for one in result.calls}) == 3


def test_the_model_is_told_that_it_cannot_see_an_image(serve: Serve, world: World) -> None:
    api = server(Says(calls=[("call_1", "plot", '{"with_file": false}')]), Says("Pity"))
    world.run(serve(api), Toolset(plot), on=chat())
    assert "you cannot see it" in api.bodies("POST /chat/completions")[1]["messages"][-1]["content"]


def test_tools_are_hidden_from_runs(serve: Serve, world: World) -> None:
    api = server(Says("Hi"))
    world.run(serve(api), TOOLS.filtered(lambda ctx: ctx.tool != "pay"), on=chat())
    tools = api.bodies("POST /chat/completions")[0]["tools"]
    assert [one["function"]["name"] for one in tools] == ["add", "who"]


def test_without_tools_none_are_sent(serve: Serve, world: World) -> None:
    api = server(Says("Hi"))
    assert world.run(serve(api), on=chat()).text == "Hi"
    assert "tools" not in api.bodies("POST /chat/completions")[0]


def test_limits_hold(serve: Serve, world: World) -> None:
    api = server(*[Says(calls=[(f"call_{n}", "add", '{"a": 1, "b": 1}')]) for n in range(3)])
    with pytest.raises(LimitReached) as caught:
        world.run(serve(api), TOOLS, on=chat(), limits=Limits(turns=2))
    assert caught.value.result is not None and len(caught.value.result.calls) == 2
    assert len(api.requests) == 3  # and nothing is sent to cancel it


def test_the_limit_in_seconds_ends_a_silent_stream(serve: Serve, world: World) -> None:
    api = server(Says("Hello"), faults=["hang"])
    with pytest.raises(LimitReached, match="seconds"):
        world.text(serve(api), on=chat(), limits=Limits(seconds=0.3))


def test_leaving_a_stream_sends_nothing(serve: Serve, world: World) -> None:
    api = server(Says("Hello there"))
    world.events(serve(api), until=lambda event: isinstance(event, TextDelta), on=chat())
    assert api.names() == ["POST /chat/completions"]


def test_deps_and_retries(serve: Serve, world: World) -> None:
    tries: list[int] = []

    @tool
    def fussy(n: int) -> str:
        tries.append(n)
        raise Retry("not this")

    api = server(
        *[Says(calls=[(f"c{n}", "fussy", f'{{"n": {n}}}'), (f"w{n}", "who", "{}")]) for n in range(3)], Says("OK")
    )
    result = world.run(serve(api), Toolset(fussy, who), on=chat(), deps="Ada", limits=Limits(retries=1))
    assert result.calls[1].output.content == "Ada run_ ''"
    assert [one.asked_again for one in result.calls if one.call.name == "fussy"] == [True, True, True]


# -- approvals and the journal -----------------------------------------------------------------------------------------

PAY = ("call_1", "pay", '{"amount": 5}')


def test_approvals_in_the_program(serve: Serve, world: World) -> None:
    api = server(Says(calls=[PAY, ("call_2", "add", '{"a": 1, "b": 2}')]), Says("Paid"))
    result = world.run(serve(api), TOOLS, on=chat(), approve=lambda call: Deny("too much"))
    assert "too much" in result.calls[0].output.content
    assert made == ["1+2"]


def test_a_run_waits_for_approval_and_goes_on_elsewhere(serve: Serve, world: World) -> None:
    api = server(Says(calls=[PAY, ("call_2", "add", '{"a": 1, "b": 2}')]), Says("Paid"))
    url = serve(api)
    result = world.run(url, TOOLS, on=chat())
    assert made == [] and result.pending is not None
    assert [call.id for call in result.pending.calls] == ["call_1"]
    pending = Pending.from_json(result.pending.to_json())
    with blocking(url) as client:
        done = resume(client, TOOLS, pending, approvals={"call_1": True})
    assert (done.text, done.run_id) == ("Paid", result.run_id)
    assert sorted(made) == ["1+2", "paid 5"]
    assert done.history[0] == {"role": "user", "content": "Hello"}


def test_a_conversation_that_was_changed_is_not_resumed(serve: Serve, world: World) -> None:
    result = world.run(serve(server(Says(calls=[PAY]))), TOOLS, on=chat())
    assert result.pending is not None
    said = json.loads(result.pending.to_json())
    said["state"]["messages"][0]["content"] = "Pay everything"
    with pytest.raises(ValueError, match="was changed"):
        Pending.from_json(json.dumps(said))


def test_a_run_is_resumed_from_the_journal(serve: Serve, world: World, tmp_path: Path) -> None:
    """The program stops in its second turn, between two calls of which one has ended."""
    calls = [("c2", "add", '{"a": 2, "b": 2}'), ("c3", "add", '{"a": 3, "b": 3}')]
    api = server(Says(calls=[SUM]), Says(calls=calls), Says("Finished"))
    url, journal, tools = serve(api), Journal(tmp_path / "calls.db"), Toolset(add, concurrency=1)

    def is_second(event: Event) -> bool:
        return isinstance(event, CallFinished) and event.finished.call.id == "c2"

    world.events(url, tools, until=is_second, on=chat(), journal=journal)
    begun = list(made)
    [pending] = journal.unfinished()
    with blocking(url) as client:
        done = resume(client, tools, pending, journal=journal, on_unknown="tell")
    assert done.text == "Finished"
    assert (begun[:2], len(set(made))) == (["1+2", "2+2"], len(made))  # nothing twice
    roles = [message["role"] for message in done.history]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "tool", "assistant"]
    assert journal.unfinished() == []


def test_a_server_that_is_gone_leaves_a_run_to_resume(serve: Serve, world: World, tmp_path: Path) -> None:
    class Gone(ChatServer):
        async def answer(self, reader: Any, writer: Any) -> None:
            if self.done:
                writer.close()
                return
            await super().answer(reader, writer)

        async def _exchange(self, reader: Any, writer: Any) -> bool:
            return await super()._exchange(reader, writer) and not self.done

    journal = Journal(tmp_path / "calls.db")
    with pytest.raises((RunLost, LimitReached)):
        world.run(serve(Gone(script=[Says(calls=[SUM])])), TOOLS, on=chat(), journal=journal, limits=Limits(seconds=1))
    [pending] = journal.unfinished()
    with blocking(serve(server(Says("3")))) as client:
        assert resume(client, TOOLS, pending, journal=journal).text == "3"
    assert made == ["1+2"]


def test_a_resumed_run_needs_its_tools(serve: Serve, world: World) -> None:
    url = serve(server(Says(calls=[PAY]), Says("Paid")))
    pending = world.run(url, TOOLS, on=chat()).pending
    assert pending is not None
    with blocking(url) as client, pytest.raises(ToolsMissing, match="pay"):
        resume(client, Toolset(add, who), pending, approvals={"call_1": True})
    with blocking(url) as client, pytest.raises(ValueError, match="does not expire"):
        resume(client, TOOLS, pending, on_expiry="new_run")


# -- what is asked for -------------------------------------------------------------------------------------------------


@their_options
def test_the_options_are_those_of_the_client() -> None:
    """Those left out are the loop's own business, or were replaced by tools."""
    ours = {"messages", "model", "tools", "n", "functions", "function_call"}
    assert ChatOptions.__optional_keys__ - {"extra_body"} == CompletionCreateParamsBase.__annotations__.keys() - ours


def test_what_cannot_be_is_said_before_anything_is_sent() -> None:
    client = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    with pytest.raises(TypeError, match=r"Chat\(\) has no option temprature="):
        Chat(model="m", messages="Hello", temprature=1)  # type: ignore[call-arg]
    for messages in ("", [], 5):
        with pytest.raises(TypeError, match="messages"):
            Chat(model="m", messages=messages)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="has no JSON form"):
        chat(metadata={"a": object()})
    with pytest.raises(TypeError, match="leave out assistant_id, on_active"):
        run(client, on=chat(), assistant_id="asst_1", on_active="wait")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="temperature"):
        stream(client, on=chat(), temperature=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"takes Chat\(...\)"):
        run(client, on="chat")  # type: ignore[call-overload]


def test_objects_of_the_client_are_messages(serve: Serve, world: World) -> None:
    from openai.types.chat import ChatCompletionMessage

    said = ChatCompletionMessage(role="assistant", content="Hi")
    api = server(Says("Hello"))
    api.knows = frozenset({"top_k"})
    messages: Any = ({"role": "user", "content": "Hi"}, said, {"role": "user", "content": "Hi"})
    world.run(serve(api), on=Chat(model="m", messages=iter(messages), extra_body={"top_k": 5, "user": "u"}))
    [body] = api.bodies("POST /chat/completions")
    assert (body["messages"][1], body["top_k"]) == ({"role": "assistant", "content": "Hi"}, 5)


def test_runs_of_one_place_are_apart(serve: Serve) -> None:
    """A Chat is what to begin with: it can begin any number of runs."""
    api, place = server(*[Says(calls=[SUM]), Says("3")] * 2), chat()
    with blocking(serve(api)) as client:
        ids = {run(client, TOOLS, on=place).run_id for _ in range(2)}
    assert len(ids) == 2
    assert [len(body["messages"]) for body in api.bodies("POST /chat/completions")] == [1, 3, 1, 3]


def test_a_model_that_fails(serve: Serve, world: World) -> None:
    class Failing(ChatServer):
        def do(self, request: Any) -> Any:
            answer = super().do(request).model_dump(mode="json")  # type: ignore[union-attr]
            answer["choices"][0]["finish_reason"] = "error"
            return answer

    with pytest.raises(RunFailed, match="server_error") as caught:
        world.run(serve(Failing(script=[Says("Hm")])), on=chat())
    assert caught.value.run is not None and caught.value.run.status == "failed"
