"""What is written piece by piece says what the client would have written at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from openai._utils._json import openapi_dumps

from toolkit.runs.bodies import Bodies
from toolkit.runs.effects import Request

TEXT = st.text('ab"\\\n\0é\U0001f600', max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def bodies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Bodies as a run sends them: lists grow, stay, are begun anew or cut, beside what is only said."""
    found: list[dict[str, Any]] = []
    messages: list[Any] = []
    for _ in range(draw(st.integers(1, 5))):
        kept = draw(st.sampled_from([messages, messages, messages[:-1], []]))
        messages = [*kept, *draw(st.lists(VALUES, max_size=3))]
        found.append({"model": draw(VALUES), "messages": messages, "tools": draw(st.just([1]) | st.lists(VALUES))})
    return found


@given(bodies())
def test_a_run_of_bodies(said: list[dict[str, Any]]) -> None:
    writer = Bodies()
    for body in said:
        assert writer.write(body) == openapi_dumps(body)


def test_equal_messages_that_are_others_are_written_anew() -> None:
    writer = Bodies()
    assert writer.write({"messages": [{"n": 1}]}) == b'{"messages":[{"n":1}]}'
    assert writer.write({"messages": [{"n": True}, 2]}) == b'{"messages":[{"n":true},2]}'
    assert writer.write({}) == b"{}"


def test_half_a_character_goes_as_the_model_wrote_it() -> None:
    body = {"messages": ["\ud83d", "é"], "user": "\udc00"}
    written = Bodies().write(body)
    assert written == b'{"messages":["\\ud83d","\xc3\xa9"],"user":"\\udc00"}'
    assert json.loads(written) == body


def test_what_json_cannot_say_is_an_error() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Bodies().write({"temperature": float("nan")})


@pytest.mark.parametrize("client", [OpenAI(api_key="none"), AsyncOpenAI(api_key="none")])
def test_bytes_are_for_whom_does_not_look_into_a_conversation(client: OpenAI | AsyncOpenAI) -> None:
    body: dict[str, Any] = {"model": "m", "messages": []}
    ours = Request("POST", "/chat/completions", body, run={})
    azure = AzureOpenAI(api_key="none", azure_endpoint="http://127.0.0.1", api_version="v1")  # its path has the model
    assert Bodies().said(client, ours) == {"content": b'{"model":"m","messages":[]}'}
    assert Bodies().said(azure, ours) == {"body": body}
    assert Bodies().said(client, Request("POST", "/threads/t/runs", body)) == {"body": body}
    assert Bodies().said(client, Request("POST", "/responses/r/cancel", run={})) == {"body": None}
