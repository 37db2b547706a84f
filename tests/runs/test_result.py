from __future__ import annotations

from openai.types.beta.threads import Message, Run

from toolkit import Call, FinishedCall, Output, Result

RUN = {
    "id": "run_1",
    "object": "thread.run",
    "thread_id": "thread_1",
    "status": "completed",
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def message(*parts: dict[str, object]) -> dict[str, object]:
    return {"id": "msg_1", "object": "thread.message", "role": "assistant", "content": list(parts)}


def text(value: str) -> dict[str, object]:
    return {"type": "text", "text": {"value": value, "annotations": []}}


IMAGE = {"type": "image_file", "image_file": {"file_id": "file-1"}}


def test_the_text_is_the_last_messages() -> None:
    result = Result((), 0, RUN, (message(text("first")), message(IMAGE, text("one, "), text("two"))))
    assert result.text == "one, two"


def test_no_message_is_no_text() -> None:
    assert Result((), 0, RUN, ()).text == ""


def test_the_clients_own_models() -> None:
    result = Result((), 0, RUN, (message(text("Hello")),))
    assert isinstance(result.run, Run)
    assert isinstance(result.messages[0], Message)
    assert result.messages[0].content[0].text.value == "Hello"
    assert result.usage is not None
    assert result.usage.total_tokens == 3
    assert (result.run_id, result.thread_id, result.status) == ("run_1", "thread_1", "completed")
    assert result.run is result.run


def test_what_the_runs_before_have_used_counts() -> None:
    before = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
    usage = Result((), 0, RUN, (), usage_before=before).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (11, 22, 33)
    silent = {**RUN, "usage": None}
    assert Result((), 0, silent, ()).usage is None
    assert Result((), 0, silent, (), usage_before=before).usage_json == before


def test_its_repr_is_short() -> None:
    call = FinishedCall(Call("call_1", "add", "{}"), Output("a" * 1000))
    result = Result((call,), 1, RUN, (message(text("Hello " * 100)),))
    assert repr(result).startswith("<Result completed 'Hello Hello")
    assert repr(result).endswith("calls: ['add']>")
    assert len(repr(result)) < 150
