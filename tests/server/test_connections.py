"""The bounds of connections, over plain sockets, on both event loops."""

from __future__ import annotations

import os
import random
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.contract.raw import LOOPS, Answer, Raw, bounded, post, raw, read, request
from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine
from toolkit.server.connections import Bounds, room_for
from toolkit.server.wire import MOST_BODY

Serve = Callable[..., Raw]
MODELS = request("GET", "/v1/models")


@pytest.fixture(params=LOOPS)
def serve(request: pytest.FixtureRequest) -> Iterator[Serve]:
    """Start servers with bounds of their own."""
    with ExitStack() as stack:

        def start(*scripts: Any, **bounds: Any) -> Raw:
            engine = stack.enter_context(Engine("sqlite:///:memory:", model=Scripted(scripts or [answer("hello")])))
            return stack.enter_context(raw(engine.app, bounded(**bounds), loop=request.param))

        yield start


def refused(said: Answer, status: int) -> str:
    assert said.status == status, said
    assert said.headers["content-type"] == "application/json"
    assert said.headers["x-request-id"].startswith("req_")
    assert {"openai-version", "openai-processing-ms"} <= set(said.headers)
    error = said.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    message: str = error["message"]
    return message


def ended(line: socket.socket) -> bool:
    """Whether the server ends a connection without a further word."""
    with suppress(ConnectionResetError):
        return line.recv(1) == b""
    return True


def drip(line: socket.socket, piece: bytes) -> None:
    """Send a little again and again, until the server has had enough."""

    def send() -> None:
        with suppress(OSError):
            while True:
                line.send(piece)
                time.sleep(0.02)

    threading.Thread(target=send, daemon=True).start()


def threads_of(server: Raw) -> int:
    return len(server.ask(request("GET", "/v1/threads?limit=100")).json["data"])


def test_who_says_nothing_is_left(serve: Serve) -> None:
    with serve(head_s=0.2).connect() as line:
        assert ended(line)


def test_who_only_sends_empty_lines_is_left(serve: Serve) -> None:
    with serve(head_s=0.2).connect() as line:
        drip(line, b"\r\n")
        assert ended(line)


def test_a_head_that_drips_is_refused(serve: Serve) -> None:
    server = serve(head_s=0.3)
    with server.connect() as line:
        line.sendall(MODELS[:-2])
        drip(line, b"x")
        assert "in time" in refused(read(line), 408)
        assert ended(line)
    assert server.ask(MODELS).status == 200


def test_a_later_head_that_drips_is_refused_too(serve: Serve) -> None:
    with serve(head_s=0.3).connect() as line:
        for _ in range(3):
            line.sendall(MODELS)
            assert read(line).status == 200
        drip(line, b"GET /")
        assert read(line).status in (400, 408)
        assert ended(line)


def test_a_body_that_drips_is_refused_and_nothing_is_made(serve: Serve) -> None:
    server = serve(body_s=0.3)
    with server.connect() as line:
        line.sendall(b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{")
        drip(line, b" ")
        assert "in time" in refused(read(line), 408)
        assert ended(line)
    assert threads_of(server) == 0


def test_a_pause_in_a_body_is_no_fault(serve: Serve) -> None:
    server = serve(head_s=0.3, body_s=20)
    sent = post("/v1/threads", {})
    with server.connect() as line:
        line.sendall(sent[:-1])
        time.sleep(0.5)
        line.sendall(sent[-1:])
        assert read(line).status == 200


def test_a_large_body_has_more_time(serve: Serve) -> None:
    server = serve(body_s=0.3, body_rate=1000)
    sent = post("/v1/threads", b"{" + b" " * 998 + b"}")
    with server.connect() as line:
        line.sendall(sent[:-1])
        time.sleep(0.6)
        line.sendall(sent[-1:])
        assert read(line).status == 200


HEADS: dict[str, tuple[bytes, int]] = {
    "url": (request("GET", "/v1/models?" + "x" * 9000), 414),
    "header": (request("GET", "/v1/models", x="y" * 70_000), 431),
    "headers": (request("GET", "/v1/models", **{f"x{number}": "y" * 100 for number in range(1000)}), 431),
    "endless header": (b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 400_000, 431),
    "endless headers": (b"GET /v1/models HTTP/1.1\r\n" + b"host: localhost\r\n" * 40_000, 431),
    "method": (b"G" * 400_000, 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
}


def test_heads_have_a_most(serve: Serve) -> None:
    server = serve()
    for sent, status in HEADS.values():
        with server.connect() as line:
            with suppress(ConnectionError):
                line.sendall(sent)
            refused(read(line), status)
            assert ended(line)
    assert server.ask(MODELS).status == 200


def test_an_endless_body_is_refused_and_then_not_listened_to(serve: Serve) -> None:
    server = serve(linger_s=0.3)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with server.connect() as line:
        line.sendall(post("/v1/threads", b"", transfer_encoding="chunked"))
        began, sent = time.monotonic(), 0
        with suppress(ConnectionError):
            while time.monotonic() - began < 20:
                line.sendall(chunk)
                sent += len(chunk)
            pytest.fail("the server listens for ever")
        assert sent > MOST_BODY
    assert threads_of(server) == 0


AROUND: dict[str, tuple[bytes, bytes]] = {
    "extension": (b"1;", b"x" * 65536),
    "trailers": (b"1\r\n{\r\n0\r\n", b"x: " + b"y" * 1000 + b"\r\n"),
    "trailer": (b"0\r\nx: ", b"y" * 65536),
}


def test_what_is_around_a_chunked_body_has_a_most(serve: Serve) -> None:
    server = serve(linger_s=0.1)
    for sent, piece in AROUND.values():
        with server.connect() as line:
            line.sendall(post("/v1/threads", b"", transfer_encoding="chunked") + sent)
            with suppress(ConnectionError):
                for _ in range(100_000):
                    line.sendall(piece)
                pytest.fail("the server listens for ever")
    assert threads_of(server) == 0


def test_a_body_too_large_is_answered_before_it_is_sent(serve: Serve) -> None:
    with serve(linger_s=0.3).connect() as line:
        line.sendall(b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n")
        assert "32 MiB" in refused(read(line), 413)
        assert ended(line)


def test_one_connection_too_many_is_told_so(serve: Serve) -> None:
    server = serve(connections=3)
    with ExitStack() as stack:
        lines = [stack.enter_context(server.connect()) for _ in range(3)]
        for line in lines:
            line.sendall(MODELS)
            assert read(line).status == 200
        said = server.ask(MODELS)
        assert "too many connections" in refused(said, 503)
        assert said.headers["retry-after"] == "1"
        lines[0].sendall(MODELS)
        assert read(lines[0]).status == 200, "those who were there first are served on"
    server.quiet()
    assert server.ask(MODELS).status == 200


def test_who_is_turned_away_and_stays_is_put_out(serve: Serve) -> None:
    server = serve(connections=1, linger_s=0.2)
    with server.connect() as line, server.connect() as late:
        line.sendall(MODELS)
        assert read(line).status == 200
        refused(read(late), 503)
        while server.connections > 1:
            time.sleep(0.01)


def test_five_hundred_who_say_nothing_keep_nobody_from_work(serve: Serve) -> None:
    server = serve()
    with ExitStack() as stack:
        for _ in range(500 if resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 2000 else 100):
            stack.enter_context(server.connect())
        began = time.monotonic()
        for _ in range(20):
            assert server.ask(post("/v1/threads", {})).status == 200
        assert time.monotonic() - began < 10


def test_requests_sent_at_once_are_answered_in_turn(serve: Serve) -> None:
    server = serve()
    made = server.ask(post("/v1/threads", {})).json["id"]
    sent = [
        request("GET", f"/v1/threads/{made}"),
        post("/v1/threads", {"metadata": {"k": "second"}}),
        request("GET", "/v1/nowhere"),
        MODELS,
    ]
    with server.connect() as line:
        line.sendall(b"".join(sent))
        reader = line.makefile("rb")
        got = [answer_of(reader) for _ in sent]
    assert [status for status, _ in got] == [200, 200, 404, 200]
    assert made.encode() in got[0][1]
    assert b"second" in got[1][1]


def answer_of(reader: Any) -> tuple[int, bytes]:
    """Read an answer whose length is told, and not a byte of the next one."""
    status = int(reader.readline().split()[1])
    length = 0
    while (header := reader.readline().strip()) != b"":
        name, _, value = header.partition(b":")
        if name == b"content-length":
            length = int(value)
    return status, reader.read(length)


def test_a_head_that_drips_behind_a_stream_does_not_break_into_it(serve: Serve) -> None:
    server = serve([*answer("Hel")[:1], 0.5, *answer("lo")], head_s=0.1)
    assistant = server.ask(post("/v1/assistants", {"model": "m"})).json["id"]
    body = {"assistant_id": assistant, "stream": True, "thread": {"messages": [{"role": "user", "content": "x"}]}}
    with server.connect() as line:
        line.sendall(post("/v1/threads/runs", body) + b"GET /v1/mo")
        said = read(line)
        assert said.body.endswith(b"data: [DONE]\n\n")
        assert ended(line)


def test_a_client_may_ask_whether_to_go_on(serve: Serve) -> None:
    server = serve()
    head, _, body = post("/v1/threads", {}, expect="100-continue").partition(b"\r\n\r\n")
    with server.connect() as line:
        line.sendall(head + b"\r\n\r\n")
        reader = line.makefile("rb")
        assert reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert reader.readline() == b"\r\n"
        line.sendall(body)
        assert answer_of(reader)[0] == 200
    with server.connect() as line:
        line.sendall(
            b"POST /v1/threads HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n"
        )
        assert read(line).status == 413, "and is told no before it sends"


def test_methods_without_a_body_share_a_connection(serve: Serve) -> None:
    with serve().connect() as line:
        for method, status in (("HEAD", 200), ("OPTIONS", 204), ("GET", 200), ("PUT", 405), ("HEAD", 200)):
            line.sendall(request(method, "/v1/assistants"))
            assert read(line, method).status == status


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_who_offers_another_protocol_is_answered_in_this_one(serve: Serve, upgrade: str) -> None:
    server = serve()
    headers = {"connection": "Upgrade, HTTP2-Settings", "upgrade": upgrade, "http2_settings": "AAMAAABkAAQAoAAA"}
    assert server.ask(request("GET", "/v1/models", **headers)).status == 200
    sent = post("/v1/threads", {"metadata": {"k": "v"}}, **headers)
    for cut in (10, sent.index(b"\r\n\r\n") + 4, len(sent) - 3):
        with server.connect() as line:
            for _ in range(2):
                line.sendall(sent[:cut])
                time.sleep(0.01)
                line.sendall(sent[cut:])
                said = read(line)
                assert (said.status, said.json["metadata"]) == (200, {"k": "v"})
    assert threads_of(server) == 6


def test_the_server_is_no_proxy(serve: Serve) -> None:
    refused(serve().ask(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n"), 405)


def mutated(sent: bytes, chance: random.Random) -> bytes:
    """Damage a request in a few places."""
    damaged = bytearray(sent)
    for _ in range(chance.choice([1, 1, 2, 5])):
        place = chance.randrange(len(damaged) + 1)
        pieces = [b"\r\n", b"\0", b"%ff", b"\xff", b": ", b" ", b"content-length: 5\r\n", b"upgrade: x\r\n", sent]
        damaged[place : place + chance.choice([0, 0, 1, 5])] = chance.choice(pieces)
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_sent_is_answered_or_left_and_never_a_fault(
    serve: Serve, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(head_s=0.1, body_s=0.1, linger_s=0.05)
    offer = {"expect": "100-continue", "connection": "upgrade", "upgrade": "h2c"}
    whole = [
        MODELS,
        request("OPTIONS", "/v1/threads"),
        post("/v1/threads", {"metadata": {"a": "b"}}),
        post("/v1/threads", b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n', transfer_encoding="chunked"),
        post("/v1/threads/runs", {"assistant_id": "x", "stream": True}, **offer),
    ]
    chance = random.Random(seed)
    for _ in range(150):
        with server.connect() as line, suppress(ConnectionError):
            line.sendall(mutated(chance.choice(whole), chance))
            if chance.random() < 0.5:
                line.shutdown(socket.SHUT_WR)
            said = line.recv(65536)
            assert not said or (said.startswith(b"HTTP/1.1 ") and said[9:12] != b"500"), said
    assert server.ask(MODELS).status == 200
    server.quiet()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def large(server: Raw) -> str:
    """Make a thread whose messages are a page of a few megabytes."""
    said = [{"role": "user", "content": "x" * 200_000} for _ in range(40)]
    made = server.ask(post("/v1/threads", {"messages": said}))
    return f"/v1/threads/{made.json['id']}/messages?limit=100"


def test_who_takes_nothing_of_an_answer_is_left(serve: Serve) -> None:
    server = serve(stall_s=0.3)
    path = large(server)
    server.quiet()
    with server.connect() as line:
        line.sendall(request("GET", path))
        server.quiet()


@pytest.mark.slow
def test_who_takes_an_answer_slowly_gets_it(serve: Serve) -> None:
    server = serve(stall_s=3)  # kernels make room in lumps: a slow reader is not seen to read for a while
    path = large(server)
    with server.connect() as line:
        line.sendall(request("GET", path))
        got, began = 0, time.monotonic()
        while got < 8_000_000:
            piece = line.recv(400_000)
            assert piece, "the connection was cut"
            got += len(piece)
            time.sleep(max(0.0, began + got / 1_500_000 - time.monotonic()))
        assert time.monotonic() - began > 4


def test_a_process_makes_room_for_connections_as_far_as_it_may() -> None:
    program = (
        "import resource; from toolkit.server.connections import room_for\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 400))\n"
        "print(room_for(4096), resource.getrlimit(resource.RLIMIT_NOFILE)[0], room_for(10))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)); print(room_for(4096))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "200 400 10\n200\n"
    assert room_for(1) == 1
    assert Bounds().connections == 4096
    assert os.name == "posix"
