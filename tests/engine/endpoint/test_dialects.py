from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.endpoint.dialects import Answer
from toolkit.engine.model import CallBegan, CallPiece, ContextExceeded, Delta, Ended, ModelCall, ModelError, Text, Usage


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def sse(*events: Any, done: bool = True) -> bytes:
    texts = [event if isinstance(event, str) else f"data: {json.dumps(event)}" for event in events]
    return "".join(f"{text}\n\n" for text in [*texts, *["data: [DONE]"] * done]).encode()


def read(*chunks: bytes) -> list[Delta]:
    answer = Answer("http://host/v1", "big", ["sk-secret"])
    return [delta for part in chunks for delta in answer.feed(part)] + list(answer.end())


def ended(deltas: list[Delta]) -> Ended:
    assert all(not isinstance(delta, Ended) for delta in deltas[:-1])
    last = deltas[-1]
    assert isinstance(last, Ended)
    return last


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.value for delta in deltas if isinstance(delta, Text))


def message_of(deltas: list[Delta]) -> dict[str, Any]:
    return json.loads(ended(deltas).message)


CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
HELLO = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
]


def test_a_plain_answer() -> None:
    assert read(sse(*HELLO)) == [
        Text("Hel"),
        Text("lo"),
        Ended("stop", (), '{"role":"assistant","content":"Hello"}', None),
    ]


def test_calls() -> None:
    deltas = read(sse(chunk({"content": "Let me see."}), chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls")))
    assert deltas[:-1] == [Text("Let me see."), CallBegan(0, "call_1", "f"), CallPiece(0, '{"x":1}')]
    assert ended(deltas).calls == (ModelCall("call_1", "f", '{"x":1}'),)
    assert message_of(deltas) == {
        "role": "assistant",
        "content": "Let me see.",
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}],
    }


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([{"choices": []}, {"choices": None}, {}, *HELLO], id="events without choices"),
        pytest.param([chunk(None), {"choices": [{}]}, {"choices": ["x"]}, {"choices": {}}, *HELLO], id="no delta"),
        pytest.param([chunk({"content": None, "tool_calls": []}), *HELLO], id="null and empty"),
        pytest.param([chunk({"content": 7, "tool_calls": {}, "role": 3}), *HELLO], id="other types"),
        pytest.param(
            [chunk({"content": "", "function_call": {"name": "", "arguments": ""}}), *HELLO], id="no function_call"
        ),
        pytest.param([chunk({"tool_calls": [{"function": {"name": "", "arguments": ""}}]}), *HELLO], id="no tool call"),
        pytest.param([chunk({"tool_calls": None, "reasoning": "hm", "thinking": "hm"}), *HELLO], id="reasoning"),
        pytest.param(
            [{**event, "id": None, "object": "", "created": 1.5, "model": 3} for event in HELLO], id="odd fields"
        ),
        pytest.param([{"choices": [{"delta": event["choices"][0]["delta"]}]} for event in HELLO], id="only deltas"),
        pytest.param(
            [": OPENROUTER PROCESSING", "data: : wrapped comment", "data:", "retry: 5", *HELLO], id="no content"
        ),
        pytest.param(["data: null", *HELLO], id="null event"),
        pytest.param([chunk({"content": [{"type": "text", "text": "Hello"}]}), chunk({}, "stop")], id="content parts"),
        pytest.param(
            [chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}), *HELLO],
            id="thinking",
        ),
        pytest.param(
            [{"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}],
            id="message",
        ),
        pytest.param([*HELLO, {"choices": [{"delta": {}, "message": {"content": "Hello"}}]}], id="message at the end"),
        pytest.param([*HELLO, "data: [DONE]", "data: junk"], id="after the end"),
        pytest.param([chunk({"refusal": "Hello"}), chunk({}, "stop")], id="refusal"),
    ],
)
def test_what_is_skipped(events: list[Any]) -> None:
    deltas = read(sse(*events))
    assert text_of(deltas) == "Hello"
    assert ended(deltas) == Ended("stop", (), '{"role":"assistant","content":"Hello"}', None)


@pytest.mark.parametrize(
    "text", ["<tool_call>{}</tool_call>", "[TOOL_CALLS] []", '{"name":"f","arguments":{}}', "<think>hm</think>"]
)
def test_calls_written_as_text_stay_text(text: str) -> None:
    deltas = read(sse(chunk({"content": text}), chunk({}, "stop")))
    assert text_of(deltas) == text
    assert ended(deltas).calls == ()


@pytest.mark.parametrize(
    "finish", ["stop", "tool_calls", "function_call", "", "eos", "end_turn", "whatever", "length "]
)
def test_calls_decide_and_not_the_reason(finish: str) -> None:
    deltas = read(sse(chunk({"tool_calls": [CALL]}), chunk({}, finish)))
    assert (ended(deltas).reason, len(ended(deltas).calls)) == ("stop", 1)
    deltas = read(sse(chunk({"content": "Hi"}), chunk({}, finish)))
    assert (ended(deltas).reason, ended(deltas).calls) == ("stop", ())


def test_a_reason_or_the_mark_is_enough_of_an_end() -> None:
    assert text_of(read(sse(*HELLO, done=False))) == "Hello"
    assert text_of(read(sse(*HELLO[:-1]))) == "Hello"
    assert text_of(read(sse(*HELLO, done=False).rstrip(b"\n"))) == "Hello"


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("content_filter", "content_filter"),
        ("SAFETY", "content_filter"),
    ],
)
def test_answers_that_were_cut_have_no_half_calls(finish: str, reason: str) -> None:
    half = {**CALL, "function": {"name": "f", "arguments": '{"x'}}
    deltas = read(sse(chunk({"content": "So "}), chunk({"tool_calls": [half]}), chunk({}, finish)))
    assert (ended(deltas).reason, ended(deltas).calls) == (reason, ())
    assert message_of(deltas) == {"role": "assistant", "content": "So "}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b" \r\n", id="blank"),
        pytest.param(sse(), id="only the mark"),
        pytest.param(sse(chunk({"role": "assistant"})), id="only a role"),
        pytest.param(sse({"choices": []}), id="no choices"),
        pytest.param(sse(*HELLO[:-1], done=False), id="no end"),
        pytest.param(sse(chunk({"tool_calls": [CALL]}), done=False), id="no end of calls"),
        pytest.param(sse(*HELLO[:2], "data: {broken"), id="no JSON"),
        pytest.param(sse(*HELLO[:2], done=False) + b'data: {"choi', id="half an event"),
        pytest.param(sse(*HELLO[:2], {"error": {"message": "Overloaded"}}), id="error"),
        pytest.param(sse(*HELLO[:2], {"error": "Overloaded"}), id="error text"),
        pytest.param(sse(*HELLO[:2], 'event: error\ndata: {"message": "Overloaded"}'), id="error event"),
        pytest.param(sse(*HELLO[:2], "event: error\ndata: Overloaded"), id="error event of text"),
        pytest.param(
            sse({"choices": [{"error": {"message": "Overloaded", "code": 502}, "delta": {}}]}), id="error in choice"
        ),
        pytest.param(sse(*HELLO[:2], chunk({}, "error")), id="finish error"),
        pytest.param(sse(*HELLO[:2], chunk({}, "insufficient_system_resource")), id="finish resources"),
        pytest.param(sse(*HELLO[:2], chunk({}, "MALFORMED_FUNCTION_CALL")), id="finish malformed"),
        pytest.param(sse("data: 7"), id="a number"),
        pytest.param(b'{"choices": null}', id="null choices"),
        pytest.param(b'{"choices": []}', id="empty choices"),
        pytest.param(b'{"choices": [{"message": null, "finish_reason": "stop"}]}', id="null message"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b"[]", id="empty array"),
        pytest.param(b'{"choices": [{"mess', id="half a body"),
        pytest.param(b'{"error": {"message": "Overloaded"}}', id="error body"),
        pytest.param(b'{"error": "Overloaded"}', id="error text body"),
        pytest.param(b'[{"error": {"message": "Overloaded", "code": 503}}]', id="error in an array"),
        pytest.param(b'{"object": "error", "message": "Overloaded"}', id="object error"),
    ],
)
def test_broken_answers_are_tried_again(body: bytes) -> None:
    with pytest.raises(ModelError) as error:
        read(body)
    assert error.value.retry
    assert "http://host/v1" in error.value.message
    if b"Overloaded" in body:
        assert "Overloaded" in error.value.message


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b"\n\n<html>", b"\xef\xbb\xbf<html>"])
def test_a_web_page_says_what_to_check(body: bytes) -> None:
    with pytest.raises(ModelError, match="--model-url") as error:
        read(body)
    assert not error.value.retry


def test_errors_in_a_stream_are_judged() -> None:
    with pytest.raises(ContextExceeded):
        read(sse({"error": {"message": "maximum context length is 10", "code": 400}}))
    with pytest.raises(ModelError) as error:
        read(sse({"error": {"message": "Key sk-secret is bad", "type": "authentication_error"}}))
    assert not error.value.retry
    assert "sk-secret" not in error.value.message


def test_json_where_a_stream_was_asked_for() -> None:
    body = {
        "object": "chat.completion",
        "choices": [
            {"message": {"role": "assistant", "content": "Hi", "tool_calls": [CALL, CALL]}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7},
    }
    deltas = read(json.dumps(body, indent=1).encode())
    assert text_of(deltas) == "Hi"
    assert [call.arguments for call in ended(deltas).calls] == ['{"x":1}', '{"x":1}']
    assert ended(deltas).usage == Usage(5, 7)


def test_json_without_a_reason_is_whole() -> None:
    assert text_of(read(b'\xef\xbb\xbf{"choices": [{"message": {"content": "Hi"}}]}')) == "Hi"


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        ([], None),
        ([{"usage": None}, {"usage": {}}, {"usage": []}], None),
        ([{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}], Usage(3, 4)),
        ([{"usage": {"prompt_tokens": 3}}, {"usage": {"prompt_tokens": 3, "completion_tokens": 9}}], Usage(3, 9)),
        ([{"choices": [{"delta": {}, "usage": {"prompt_tokens": 1, "completion_tokens": 2}}]}], Usage(1, 2)),
        ([{"x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}], Usage(1, 2)),
        ([{"usage": {"input_tokens": 1, "output_tokens": 2}}], Usage(1, 2)),
        ([{"usage": {"prompt_tokens": 1.0, "completion_tokens": "x"}}], Usage(1, 0)),
        (
            [
                {
                    "usage": {
                        "prompt_tokens": 9,
                        "completion_tokens": 8,
                        "prompt_tokens_details": {"cached_tokens": 4},
                        "completion_tokens_details": {"reasoning_tokens": 2},
                    }
                }
            ],
            Usage(9, 8, {"cached_tokens": 4}, {"reasoning_tokens": 2}),
        ),
    ],
)
def test_usage_before_and_after_the_end(events: list[Any], usage: Usage | None) -> None:
    assert ended(read(sse(*HELLO, *events))).usage == usage
    assert ended(read(sse(*events, *HELLO))).usage == usage


def test_what_must_go_back_goes_back() -> None:
    deltas = read(
        sse(
            chunk({"reasoning_content": "I ", "reasoning": "I "}),
            chunk(
                {
                    "reasoning_content": "think.",
                    "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "I "}],
                }
            ),
            chunk({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "think."}]}),
            chunk({"reasoning_details": [{"type": "reasoning.text", "index": 0, "signature": "s", "text": None}]}),
            chunk(
                {
                    "reasoning_details": [
                        {"type": "reasoning.encrypted", "index": 1, "data": "d"},
                        {"no": "index"},
                        {"no": "index"},
                    ]
                }
            ),
            chunk({"tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "t"}}}]}),
            chunk({"extra_content": {"google": {"thought_signature": "u"}}}, "stop"),
        )
    )
    message = message_of(deltas)
    assert text_of(deltas) == ""
    assert message["content"] is None
    assert message["reasoning_content"] == "I think."
    assert "reasoning" not in message
    assert message["extra_content"] == {"google": {"thought_signature": "u"}}
    assert message["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "t"}}
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "I think.", "signature": "s"},
        {"type": "reasoning.encrypted", "index": 1, "data": "d"},
        {"no": "index"},
        {"no": "index"},
    ]


def test_reasoning_of_changing_types() -> None:
    thoughts = [["a"], "b", "c", {"d": 1}, {"e": 2}]
    events = [
        chunk({"reasoning_content": thought, "content": "Hi"[at : at + 1]}) for at, thought in enumerate(thoughts)
    ]
    for kept in range(1, len(thoughts) + 1):
        message = message_of(read(sse(*events[:kept], chunk({}, "stop"))))
        assert message["reasoning_content"] == (["a"], "b", "bc", {"d": 1}, {"e": 2})[kept - 1]


def test_one_call_without_a_list_around_it() -> None:
    deltas = read(sse(chunk({"tool_calls": CALL}), chunk({}, "stop")))
    assert ended(deltas).calls == (ModelCall("call_1", "f", '{"x":1}'),)


def test_no_call_gets_an_id_that_is_taken() -> None:
    for body in (
        sse(chunk({"tool_calls": [CALL]}), chunk({}, "stop")),
        json.dumps({"choices": [{"message": {"tool_calls": [CALL]}}]}).encode(),
    ):
        answer = Answer("w", "m", taken=frozenset({"call_1"}))
        deltas = [*answer.feed(body), *answer.end()]
        [call] = ended(deltas).calls
        assert call.id != "call_1"
        assert CallBegan(0, call.id, "f") in deltas
        assert message_of(deltas)["tool_calls"][0]["id"] == call.id


def test_broken_arguments_are_handed_over_as_they_are() -> None:
    half = {**CALL, "function": {"name": "f", "arguments": '{"x": tru'}}
    assert ended(read(sse(chunk({"tool_calls": [half]}), chunk({}, "tool_calls")))).calls[0].arguments == '{"x": tru'


def test_halves_of_a_surrogate_pair_meet_in_the_message() -> None:
    body = sse(chunk({"content": "\ud83d"}), chunk({"content": "\ude00"}))
    assert message_of(read(body))["content"] == "😀"


def test_text_passes_on_at_once() -> None:
    answer = Answer("w", "m")
    assert list(answer.feed(sse(HELLO[1], done=False))) == [Text("Hel")]
    assert not answer.said_reason
    assert list(answer.feed(sse(HELLO[3], done=False))) == []
    assert (answer.said_reason, answer.done) == (True, False)
    assert list(answer.feed(b"data: [DONE]\n")) == []
    assert not answer.done
    assert list(answer.feed(b"\n")) == []
    assert answer.done


WHOLE = sse(
    chunk({"role": "assistant", "content": "é東"}),
    ": ping",
    chunk({"tool_calls": [CALL]}),
    chunk({}, "tool_calls"),
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
)
JSON_BODY = b'\xef\xbb\xbf\n {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}'


@given(
    st.sampled_from([WHOLE, WHOLE.replace(b"\n", b"\r\n"), JSON_BODY]), st.lists(st.integers(0, len(WHOLE)), max_size=6)
)
def test_any_cut_of_the_bytes_gives_the_same_answer(body: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    assert read(*(body[a:b] for a, b in itertools.pairwise(edges))) == read(body)
    assert read(*(body[at : at + 1] for at in range(len(body)))) == read(body)


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(["", "x", "stop"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "id choices delta message content tool_calls function name arguments index finish_reason usage type "
                "text reasoning_details prompt_tokens completion_tokens x_groq".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(junk, max_size=4))
def test_nothing_a_server_sends_is_more_than_a_model_error(events: list[Any]) -> None:
    try:
        json.loads(ended(read(sse(*events))).message)
    except ModelError:
        pass
