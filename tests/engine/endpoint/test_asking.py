from __future__ import annotations

import json

import pytest

from toolkit.engine.endpoint.asking import body_of, is_about_value, leave_out, members_of, named_in
from toolkit.engine.model import ModelRequest

REQUEST = ModelRequest("big", ['{"role": "user"}', "{}"], '[{"type": "function"}]', {"max_completion_tokens": 9})


def test_the_body() -> None:
    body = body_of(REQUEST, members_of(REQUEST))
    assert json.loads(body) == {
        "model": "big",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 9,
        "tools": [{"type": "function"}],
        "messages": [{"role": "user"}, {}],
    }
    assert b'{"role": "user"}' in body
    assert b"tools" not in body_of(ModelRequest("big", []), {})


@pytest.mark.parametrize(
    ("status", "said", "named"),
    [
        (400, "Unknown parameter: 'stream_options'.", {"stream_options"}),
        (422, '{"detail": [{"loc": ["body", "parallel_tool_calls"]}]}', {"parallel_tool_calls"}),
        (400, "max_completion_tokens and stream_options", {"max_completion_tokens", "stream_options"}),
        (400, "max_tokens", set()),  # it was not sent
        (400, "stream_options_new", set()),
        (400, "temperature", set()),
        (500, "stream_options", set()),
        (429, "stream_options", set()),
    ],
)
def test_what_a_refusal_names(status: int, said: str, named: set[str]) -> None:
    members = {**members_of(REQUEST), "parallel_tool_calls": False, "temperature": 0.5}
    assert named_in(status, said.encode(), members) == named


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("max_tokens is too large: 9", True),
        ("max_completion_tokens must be at least 16", True),
        ("Unsupported parameter: 'max_tokens' is not supported with this model.", False),
        ("Extra inputs are not permitted", False),
    ],
)
def test_whether_it_is_the_value(said: str, about: bool) -> None:
    assert is_about_value(said.encode()) is about


def test_leaving_out() -> None:
    members = {"stream": True, "max_completion_tokens": 9, "stream_options": {}}
    leave_out(members, {"stream_options", "max_completion_tokens", "none"})
    assert members == {"stream": True, "max_tokens": 9}
    leave_out(members, {"max_tokens"})
    assert members == {"stream": True}
    members = {"max_completion_tokens": 9}
    leave_out(members, {"max_completion_tokens"}, rename=False)
    assert members == {}
