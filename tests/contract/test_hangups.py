"""Clients that leave: at every byte of a request, at every event of a stream, and those that stay and take nothing.

A request happens wholly or not at all. What it began goes on, and nothing of the client is left behind in the server.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.raw import Raw, bounded, post, raw, read
from tests.contract.talk import TOOLS, WEATHER
from tests.engine.scripted import Script, Scripted, answer, ask, asked
from toolkit.engine import Engine
from toolkit.engine.model import ModelRequest

PIECES = ("Once ", "upon ", "a ", "time.")
STORY = "".join(PIECES)
OUTPUTS = [{"tool_call_id": "call_a", "output": "sunny"}]


def script(request: ModelRequest) -> Script:
    """Ask for the weather when that is the question, tell much or a story else, not all at once."""
    chats = asked(request)
    question = chats[0]["content"]
    if question == "weather" and chats[-1]["role"] == "user":
        return ask(WEATHER)
    if question == "slow":
        return [*answer(*PIECES)[:2], 2.0, *answer(*PIECES)[2:]]
    if question == "much":
        return answer(*["x" * 20_000] * 200)
    return [delta for piece in answer(*PIECES) for delta in (piece, 0.002)]


class House:
    """A server, and a client that stays."""

    def __init__(self, server: Raw, model: Scripted) -> None:
        self.server, self.model = server, model
        self.http = self.client()
        self.assistant = self.sent("POST", "/v1/assistants", {"model": "m", "tools": TOOLS})["id"]

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url="http://{}:{}".format(*self.server.address), timeout=30)

    def sent(self, method: str, path: str, body: Any = None) -> Any:
        response = self.http.request(method, path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def thread(self, said: str) -> str:
        made: str = self.sent("POST", "/v1/threads", {"messages": [{"role": "user", "content": said}]})["id"]
        return made

    def runs(self, thread: str) -> list[Any]:
        data: list[Any] = self.sent("GET", f"/v1/threads/{thread}/runs")["data"]
        return data

    def run(self, thread: str, *statuses: str) -> Any:
        """Wait until a thread has a run, one alone, and that is in a state."""
        deadline = time.monotonic() + 30
        while True:
            runs = self.runs(thread)
            assert len(runs) <= 1
            if runs and runs[0]["status"] in statuses:
                return runs[0]
            assert time.monotonic() < deadline, runs
            time.sleep(0.01)

    def texts(self, thread: str) -> list[str]:
        data = self.sent("GET", f"/v1/threads/{thread}/messages?order=asc")["data"]
        return [message["content"][0]["text"]["value"] for message in data]

    def cut(self, sent: bytes, length: int) -> None:
        """Send so much of a request and leave: politely, or as machines do that lose their power."""
        with self.server.connect() as line:
            line.sendall(sent[:length])
            if length % 2:
                slam(line)


def slam(line: socket.socket) -> None:
    """Have a connection reset when it is closed."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    model = Scripted(script)
    with (
        Engine(f"sqlite:///{tmp_path}/a.db", model=model) as engine,
        raw(engine.app, bounded(stall_s=1), loop="uvloop") as server,
    ):
        house = House(server, model)
        yield house
        house.http.close()


def test_a_run_begun_by_a_client_that_leaves_at_any_byte(house: House) -> None:
    """Whatever got through: a repeat with the same key leaves one run, and it is whole."""

    def begin(thread: str) -> bytes:
        return post(f"/v1/threads/{thread}/runs", {"assistant_id": house.assistant}, Idempotency_Key=f"k-{thread}")

    length = len(begin(house.thread("story")))
    threads = [house.thread("story") for _ in range(length + 1)]
    for cut, thread in enumerate(threads):
        house.cut(begin(thread), cut)
    settle(house)
    for thread in threads[:-1]:
        assert house.runs(thread) == [], "a request that is not whole is none"
    assert len(house.runs(threads[-1])) <= 1
    for thread in threads:
        assert house.server.ask(begin(thread)).status == 200
    for thread in threads:
        house.run(thread, "completed")
        assert house.texts(thread) == ["story", STORY]


def test_outputs_handed_in_by_a_client_that_leaves_at_any_byte(house: House) -> None:
    thread = house.thread("weather")
    house.sent("POST", f"/v1/threads/{thread}/runs", {"assistant_id": house.assistant})
    run = house.run(thread, "requires_action")["id"]
    path = f"/v1/threads/{thread}/runs/{run}/submit_tool_outputs"
    hand_in = post(path, {"tool_outputs": OUTPUTS}, Idempotency_Key="k")
    for cut in range(len(hand_in)):
        house.cut(hand_in, cut)
    settle(house)
    house.run(thread, "requires_action")
    for _ in range(20):
        house.cut(hand_in, len(hand_in))
    assert house.server.ask(hand_in).status == 200
    house.run(thread, "completed")
    assert house.texts(thread) == ["weather", STORY]
    steps = house.sent("GET", f"/v1/threads/{thread}/runs/{run}/steps")["data"]
    assert sorted(step["type"] for step in steps) == ["message_creation", "tool_calls"]
    outputs = [
        asked(request)[-1]["content"] for request in house.model.requests if asked(request)[-1]["role"] == "tool"
    ]
    assert outputs == ["sunny"], "they went to the model once"


def test_an_answer_that_nobody_hears_out(house: House) -> None:
    """The request has happened, wherever its client leaves."""
    threads = [house.thread("story") for _ in range(40)]
    before = settle(house)
    for number, thread in enumerate(threads):
        with house.server.connect() as line:
            line.sendall(post(f"/v1/threads/{thread}/runs", {"assistant_id": house.assistant}))
            line.recv(1 + 40 * number)
            slam(line)
    for thread in threads:
        house.run(thread, "completed")
        assert house.texts(thread) == ["story", STORY]
    assert settle(house) == before


@pytest.mark.parametrize("stays", [False, True], ids=["leaves", "stays and takes nothing"])
def test_a_stream_left_at_any_event(house: House, stays: bool) -> None:
    """The run goes on to its end, and no task, feed or file is left."""
    read_stream(house, house.thread("story"), 10**6).close()
    before = settle(house)
    kept = []
    for events in range(16):
        thread = house.thread("story")
        line = read_stream(house, thread, events)
        kept.append((thread, line))
        if not stays:
            line.close()
    for thread, _ in kept:
        house.run(thread, "completed")
        assert house.texts(thread) == ["story", STORY]
    for _, line in kept:
        line.close()
    assert settle(house) == before


def read_stream(house: House, thread: str, events: int) -> socket.socket:
    """Begin a run with a stream, and read so many events, or all there are."""
    line = house.server.connect()
    line.sendall(post(f"/v1/threads/{thread}/runs", {"assistant_id": house.assistant, "stream": True}))
    reader = line.makefile("rb")
    while events and (got := reader.readline()) not in (b"", b"0\r\n"):
        events -= got.startswith(b"event: ")
    reader.close()
    slam(line)
    return line


def test_a_stream_that_is_never_read_holds_little_and_is_cut(house: House) -> None:
    """Four megabytes for each of four clients that read nothing: the runs complete, and nothing waits for ever."""
    before = settle(house)
    threads = [house.thread("much") for _ in range(4)]
    lines = []
    most = 0
    for thread in threads:
        line = house.server.connect()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(post(f"/v1/threads/{thread}/runs", {"assistant_id": house.assistant, "stream": True}))
        lines.append(line)
    for thread in threads:
        house.run(thread, "completed")
        most = max(most, waiting_to_be_read(house.server))
    assert most < 6 * 2**20, "what a leg is, once"
    assert settle(house, files=False)[0] == before[0], "who takes nothing for long is cut"
    for line in lines:
        with suppress(ConnectionError):
            line.close()
    assert settle(house) == before


def test_what_is_open_when_the_server_ends(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Half a request is refused, a stream says that it does not go on, and neither is an error of the server."""
    thread = house.thread("slow")
    with house.server.connect() as half, house.server.connect() as stream, house.server.connect() as idle:
        half.sendall(post("/v1/threads", {})[:-1])
        stream.sendall(post(f"/v1/threads/{thread}/runs", {"assistant_id": house.assistant, "stream": True}))
        heard = stream.makefile("rb")
        while not heard.readline().startswith(b"event: thread.message.delta"):
            pass
        house.server.server.should_exit = True
        assert idle.recv(1) == b""
        said = read(half)
        assert (said.status, said.json["error"]["code"]) == (503, "server_shutting_down")
        events = [line for line in heard.read().splitlines() if line.startswith(b"event: ")]
        assert events[-1] == b"event: error"
        heard.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def waiting_to_be_read(server: Raw) -> int:
    """How much the worst of the connections holds for its client."""
    found: list[int] = []
    done: Callable[[], None] = lambda: found.append(  # noqa: E731 - called on the server's loop
        max((each.transport.get_write_buffer_size() for each in server.server.server_state.connections), default=0)
    )
    server.loop.call_soon_threadsafe(done)
    while not found:
        time.sleep(0.001)
    return found[0]


def settle(house: House, *, files: bool = True) -> tuple[int, int]:
    """Let go of the client that stays, wait until the server rests, and count its tasks and open files."""
    house.http.close()
    house.http = house.client()
    tasks, open_files = house.server.quiet()
    return tasks, open_files if files else 0
