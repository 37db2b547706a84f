"""Typed answers, on assistants and on chat completions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.runs import scripted
from tests.runs.conftest import World, blocking
from tests.runs.hosts import chat_server
from tests.runs.scripted import Answers, Calls, Service
from toolkit import Chat, Limits, OutputInvalid, Pending, Toolset, resume, run, tool

Serve = Callable[[Answers], str]
RIGHT, WRONG = '{"total": 3}', "It is 3."


class Sum(BaseModel):
    total: int


@tool(approve=True)
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOLS = Toolset(add)
ASKED = Calls([("add", '{"a": 1, "b": 2}')])


def says(text: str, status: str = "completed") -> scripted.Says:
    return scripted.Says(text, status)


def chat(*texts: str) -> chat_server.ChatServer:
    return chat_server.ChatServer(script=[chat_server.Says(text) for text in texts])


ON = Chat(model="m", messages="How much is 1 + 2?")
HERE: dict[str, Any] = {"assistant_id": "asst_1", "thread_id": "thread_1"}


def test_an_answer_is_asked_for_and_checked(serve: Serve, world: World) -> None:
    service = Service([ASKED, says(RIGHT)])
    result = world.run(serve(service), TOOLS, output_type=Sum, approve=lambda call: True, **HERE)
    assert (result.output, result.text) == (Sum(total=3), RIGHT)
    [body] = service.bodies("create")
    assert body is not None
    form = body["response_format"]["json_schema"]
    assert (form["name"], form["strict"], form["schema"]["required"]) == ("Sum", True, ["total"])
    result = world.run(serve(chat(RIGHT)), on=ON, output_type=Sum)
    assert result.output == Sum(total=3)


def test_an_answer_that_does_not_fit_is_asked_for_again(serve: Serve, world: World) -> None:
    service = Service([says(WRONG), says(RIGHT)])
    pieces, result = world.text(serve(service), output_type=Sum, **HERE)
    assert (result.output, result.run_id) == (Sum(total=3), "run_2")
    assert pieces == ["It ", "is 3.", '{"t', 'otal": 3}']
    again = service.bodies("create")[1]
    assert again is not None
    assert again["assistant_id"] == "asst_1"
    assert "It is not JSON." in again["additional_messages"][0]["content"]
    assert result.usage is not None and result.run.usage is not None
    assert (result.run.usage.total_tokens, result.usage.total_tokens) == (12, 24)
    api = chat(WRONG, RIGHT)
    result = world.run(serve(api), on=ON, output_type=Sum)
    assert result.output == Sum(total=3) and result.usage_before is None
    roles = [message["role"] for message in api.bodies("POST /chat/completions")[1]["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_there_is_a_budget(serve: Serve, world: World) -> None:
    service = Service([says(WRONG)] * 3)
    with pytest.raises(OutputInvalid, match="not a Sum, asked for 2 times") as caught:
        world.run(serve(service), output_type=Sum, limits=Limits(retries=1), **HERE)
    assert service.count("create") == 2
    assert caught.value.result is not None and caught.value.result.text == WRONG
    assert caught.value.run is not None and caught.value.run.status == "completed"
    assert service.count("cancel") == 0
    api = chat(WRONG)
    with pytest.raises(OutputInvalid, match="asked for once"):
        world.run(serve(api), on=ON, output_type=Sum, limits=Limits(retries=0))


def test_what_is_not_worth_asking_again(serve: Serve, world: World) -> None:
    with pytest.raises(OutputInvalid, match="cut off"):
        world.run(serve(Service([says('{"tot', "incomplete")])), output_type=Sum, **HERE)
    api = chat_server.ChatServer(script=[chat_server.Says(refusal="I will not.")])
    with pytest.raises(OutputInvalid, match="I will not"):
        world.run(serve(api), on=ON, output_type=Sum)
    assert len(api.requests) == 1


def test_a_run_that_waits_has_no_output_yet(serve: Serve, world: World) -> None:
    url = serve(Service([ASKED, says(WRONG), says(RIGHT)]))
    result = world.run(url, TOOLS, output_type=Sum, **HERE)
    assert result.output is None and result.pending is not None
    pending = Pending.from_json(result.pending.to_json())
    with blocking(url) as client:
        done = resume(client, TOOLS, pending, approvals={pending.calls[0].id: True}, output_type=Sum)
    assert done.output.total == 3


def test_without_a_type_there_is_no_output(serve: Serve, world: World) -> None:
    assert world.run(serve(chat(RIGHT)), on=ON).output is None


def test_what_does_not_go_together() -> None:
    client = OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    form: Any = {"type": "json_object"}
    with pytest.raises(TypeError, match="leave that out"):
        run(client, output_type=Sum, response_format=form, **HERE)
    with pytest.raises(TypeError, match="leave that out"):
        run(client, on=Chat(model="m", messages="Hello", response_format=form), output_type=Sum)
