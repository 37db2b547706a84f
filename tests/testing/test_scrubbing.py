from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.testing.links import Sent
from toolkit.testing.scrubbing import HEADERS, SCRUBBED, Scrub, own_secrets

SCRUB = Scrub()


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefgh",
        "sk-proj-Ab_c-1234567890",
        "Bearer abcdefgh.ijkl-mnop",
        "bearer abcdefgh12",
        "Basic dXNlcjpwYXNz",
        "org-A1b2C3d4e5",
        "proj_A1b2C3d4e5",
    ],
)
def test_texts(secret: str) -> None:
    assert SCRUB.text(f"It is {secret}, they say.") == f"It is {SCRUBBED}, they say."


@pytest.mark.parametrize("text", ["a task-oriented bearer of news", "sk-", "the basic idea", "organic", "project_1"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert SCRUB.text(text) == text


def test_further_secrets_are_texts_or_patterns() -> None:
    scrub = Scrub(["a.b", re.compile(r"\d{4}"), ""])
    assert scrub.text("a.b axb 1234 12") == f"{SCRUBBED} axb {SCRUBBED} 12"


@pytest.mark.parametrize(
    "name",
    ["api_key", "API-Key", "x-api-key", "Authorization", "Set-Cookie", "password", "client_secret", "access_token"],
)
def test_members_that_are_called_like_secrets(name: str) -> None:
    assert SCRUB.json({"a": [{name: "abc", "b": 1}]}) == {"a": [{name: SCRUBBED, "b": 1}]}


def test_schemas_of_secrets_and_names_of_attributes_stay() -> None:
    schema = {"properties": {"password": {"type": "string"}}, "filters": {"key": "author", "value": "Ada"}}
    assert SCRUB.json(schema) == schema


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/threads/thread_1", "/threads/thread_1"),
        ("/a?b=2&a=1", "/a?a=1&b=2"),
        ("/a?token=2&sig=3&key=1&limit=5", f"/a?key={SCRUBBED}&limit=5&sig={SCRUBBED}&token={SCRUBBED}"),
        ("/a?include[]=x", "/a?include[]=x"),
        ("/a?include%5B%5D=x", "/a?include[]=x"),
        ("/a?empty=", "/a?empty="),
    ],
)  # fmt: skip
def test_paths(path: str, kept: str) -> None:
    assert SCRUB.path(path) == kept


def test_events_are_scrubbed_by_members_and_else_left_as_they_are() -> None:
    harmless = 'event: a\ndata: {"b":1}\n\n'
    assert SCRUB.event(harmless) == harmless
    assert SCRUB.event('event: a\ndata: {"api_key":"x"}\n\n') == f'event: a\ndata: {{"api_key": "{SCRUBBED}"}}\n\n'
    assert SCRUB.event("data: [DONE]\n\n") == "data: [DONE]\n\n"
    assert SCRUB.event("data: {broken sk-abcdefgh\n\n") == f"data: {{broken {SCRUBBED}\n\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.text("abcdefghij", min_size=12, max_size=20))
def test_a_secret_is_nowhere_left_and_scrubbing_again_changes_nothing(value: Any, secret: str) -> None:
    scrub = Scrub([secret])
    scrubbed = scrub.json({"x": value, "said": f"so {secret}.", secret: [secret]})
    assert secret not in json.dumps(scrubbed)
    assert scrub.json(scrubbed) == scrubbed


def test_only_long_values_are_a_clients_own_secrets() -> None:
    assert list(own_secrets("in-process", None, "a-long-enough-key", "org")) == ["a-long-enough-key"]
    assert not {"authorization", "cookie", "set-cookie", "openai-organization", "openai-project"} & HEADERS


def sent(content: bytes, boundary: str = "") -> Sent:
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"} if boundary else {}
    return Sent("POST", httpx2.URL("http://a/v1/files"), headers, content)


def test_bodies_are_json_or_a_digest_without_the_boundary() -> None:
    assert SCRUB.body(sent(b"")) is None
    assert SCRUB.body(sent(b'{"a": "sk-abcdefgh"}')) == {"a": SCRUBBED}
    one, two = SCRUB.body(sent(b"--x\nfile\n--x--", "x")), SCRUB.body(sent(b"--yz\nfile\n--yz--", "yz"))
    assert one == two
    assert one != SCRUB.body(sent(b"--x\nother\n--x--", "x"))
