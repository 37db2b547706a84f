from __future__ import annotations

import json
from typing import Any

from toolkit.runs.events import ServerEvent
from toolkit.runs.hosts.chat_reading import ChatReading, piece_of
from toolkit.runs.hosts.ours import begun

RUN = {
    **begun("chat.run", "1", {"model": "m"}, messages=[{"role": "user", "content": "Hi"}], call_ids=[]),
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def chunk(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None and finish is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"id": "c1", "choices": choices, **more}).encode()


def read(*chunks: bytes) -> ChatReading:
    reading = ChatReading(RUN)
    for one in chunks:
        reading.hear(ServerEvent("", one))
    return reading


def test_usage_may_come_anywhere_and_the_last_counts() -> None:
    usage = [{"prompt_tokens": n, "completion_tokens": n, "total_tokens": 2 * n} for n in (1, 5)]
    reading = read(chunk({"content": "Hi"}, usage=usage[0]), chunk({}, "stop"), chunk(usage=usage[1]), b"[DONE]")
    run = reading.run()
    assert run is not None
    assert run["usage"] == {"prompt_tokens": 6, "completion_tokens": 6, "total_tokens": 12}
    assert (run["status"], run["answer"]["choices"][0]["message"]["content"]) == ("completed", "Hi")


def test_a_server_that_does_not_tell_all_numbers() -> None:
    run = read(chunk({"content": "Hi"}, "stop", usage={"prompt_tokens": None})).run()
    assert run is not None and run["usage"] == RUN["usage"]


def test_thinking_is_no_text_and_goes_back() -> None:
    pieces = [
        {"reasoning_content": "Hm"},
        {"reasoning_content": "m"},
        {"reasoning_details": [1]},
        {"reasoning_details": [2]},
    ]
    run = read(*(chunk(one) for one in pieces), chunk({"content": "Hi"}, "stop")).run()  # fmt: skip
    assert run is not None
    said = {"role": "assistant", "content": "Hi", "reasoning_content": "Hmm", "reasoning_details": [1, 2]}
    assert run["messages"][-1] == said
    [message] = read(chunk({"content": "Hi"}, "stop")).whole(
        {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
    )["messages"][1:]
    assert message == {"role": "assistant", "content": "Hi"}


def test_odd_chunks_are_no_harm() -> None:
    odd = [b'{"choices": null}', b'{"choices": [5]}', b'{"choices": [{"delta": null}]}', b"", b'{"choices": [{}]}']
    run = read(*odd, chunk({"content": None, "tool_calls": None}), chunk({"content": "Hi"}, "eos")).run()
    assert run is not None and (run["status"], run["messages"][-1]["content"]) == ("completed", "Hi")


def test_calls_decide_what_comes_next() -> None:
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    for finish, status in (("stop", "requires_action"), ("tool_calls", "requires_action"), ("length", "incomplete")):
        run = read(chunk({"tool_calls": [call]}, finish)).run()
        assert run is not None and run["status"] == status
        assert ("tool_calls" in run["messages"][-1]) == (status == "requires_action")
    run = read(chunk({"content": "Hi"}, "tool_calls")).run()
    assert run is not None and run["status"] == "completed"


def test_what_is_no_completion_stays_what_it_is() -> None:
    for body in ({"error": {"message": "no"}}, {"choices": []}, {"choices": [{"text": "Hi"}]}, {}):
        assert read().whole(body) is body
    assert read(chunk({"content": "Hi"})).run() is None
    assert read(b"[DONE]").run() is None


def test_pieces_of_text() -> None:
    assert piece_of(ServerEvent("", chunk({"content": "Hi"}))) == ("c1", "Hi")
    for data in (chunk({"content": ""}), chunk({"content": [1]}), chunk(), b"{", b"[]", b"[DONE]"):
        assert piece_of(ServerEvent("", data)) is None
