from __future__ import annotations

import json

import httpx2
import pytest

from toolkit.testing.faults import KINDS, WORDS, Faults, Faulty, kind_of
from toolkit.testing.links import Sent

CREATED = b'event: thread.run.created\ndata: {"id": 1}\n\n'
QUEUED = b'event: thread.run.queued\ndata: {"id": 1}\n\n'
DONE = b"event: done\ndata: [DONE]\n\n"


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/threads/runs", "create"),
        ("POST", "/threads/thread_1/runs?include[]=x", "create"),
        ("POST", "/threads/thread_1/runs/run_1/submit_tool_outputs", "submit"),
        ("POST", "/threads/thread_1/runs/run_1/cancel", "cancel"),
        ("GET", "/threads/thread_1/runs/run_1", "read"),
        ("GET", "/threads/thread_1/runs?limit=1", "list"),
        ("GET", "/threads/thread_1/runs/run_1/steps", "steps"),
        ("GET", "/threads/thread_1/messages", "messages"),
        ("POST", "/threads/thread_1/messages", "message"),
        ("POST", "/threads", "thread"),
        ("GET", "/assistants/asst_1", "assistant"),
        ("POST", "/assistants", "assistant"),
        ("POST", "/files", "upload"),
        ("GET", "/files", "other"),
        ("GET", "/threads/thread_1", "other"),
        ("GET", "/models", "other"),
    ],
)
def test_kinds_of_requests(method: str, path: str, kind: str) -> None:
    assert kind_of(Sent(method, httpx2.URL(f"http://engine/v1{path}"), {}, b"")) == kind
    assert kind == "other" or kind in KINDS


def test_words_are_taken_one_a_request() -> None:
    faults = Faults({"create": "429 ok drop", "other": "500"})
    assert [faults.next(kind) for kind in ("create", "create", "submit")] == ["429", "ok", "ok"]
    assert faults.left == {"create": "drop", "other": "500"}
    assert [faults.next("create"), faults.next("create")] == ["drop", "ok"]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"begin": "500"}, "No request is called 'begin'. There are: create, submit,"),
        ({"create": "ok 200"}, "'200' is no fault. There are: ok, STATUS, STATUS-done, drop,"),
        ({"create": "drop-soon"}, "'drop-soon' is no fault"),
    ],
)
def test_words_that_there_are_not(faults: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Faults(faults)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_that_is_told_of_is_one(word: str) -> None:
    Faults({"create": word.replace("STATUS", "503").replace(":N", ":2")})


def played(word: str, *pieces: bytes) -> tuple[list[bytes], str]:
    """Let pieces through; give what came, and the name of what was raised."""
    exchange, came = Faulty(word, lambda: None), list[bytes]()
    assert exchange.ask() is None
    assert exchange.begin(200, {}) is None
    try:
        for piece in pieces:
            came.extend(exchange.feed(piece))
        came.extend(exchange.end())
    except httpx2.TransportError as error:
        return came, type(error).__name__
    return came, ""


ALL = CREATED + QUEUED + DONE


@pytest.mark.parametrize(
    "pieces", [(ALL,), (ALL[:20], ALL[20:70], ALL[70:]), tuple(bytes([one]) for one in ALL)], ids=len
)
def test_streams_are_changed_by_events_however_they_are_cut(pieces: tuple[bytes, ...]) -> None:
    assert played("cut:2", *pieces) == ([CREATED, QUEUED], "RemoteProtocolError")
    assert played("cut", *pieces) == ([CREATED], "RemoteProtocolError")
    assert played("cut:9", *pieces) == ([CREATED, QUEUED, DONE], "RemoteProtocolError")
    assert played("twice", *pieces) == ([CREATED, CREATED, QUEUED, QUEUED, DONE], "")
    assert b"".join(played("garbled", *pieces)[0]) == ALL.replace(b"{", b"{{")
    assert played("ok", *pieces) == (list(pieces), "")


def test_a_body_that_is_no_stream_is_let_through_whole() -> None:
    assert played("twice", b'{"a"', b": 1}") == ([b'{"a": 1}'], "")


@pytest.mark.parametrize(("word", "waits"), [("429", True), ("503", True), ("404", False)])
def test_errors_say_whether_to_try_again_soon(word: str, waits: bool) -> None:
    answer = Faulty(word, lambda: None).ask()
    assert answer is not None
    assert (answer.status, "retry-after-ms" in answer.headers) == (int(word), waits)
    assert json.loads(b"".join(answer.pieces))["error"]["message"] == "This went wrong, as scripted."


@pytest.mark.parametrize(("word", "error"), [("drop", httpx2.RemoteProtocolError), ("timeout", httpx2.ReadTimeout)])
def test_connections_break_before_or_after(word: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Faulty(word, lambda: None).ask()
    exchange = Faulty(f"{word}-done", lambda: None)
    assert exchange.ask() is None
    instead = exchange.begin(200, {})
    assert instead is not None
    with pytest.raises(error):
        instead()


def test_an_error_in_the_stream_comes_after_all_is_done() -> None:
    exchange = Faulty("error", lambda: None)
    assert exchange.ask() is None
    instead = exchange.begin(200, {})
    assert instead is not None
    answer = instead()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    assert b"".join(answer.pieces).startswith(b"event: error\ndata: {")


def test_time_is_up_before_the_request_comes() -> None:
    expired: list[str] = []
    assert Faulty("expired", lambda: expired.append("now")).ask() is None
    assert expired == ["now"]
