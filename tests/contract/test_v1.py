"""Programs of API v1, through every door: what they ask for and what they see, and what clients of v2 see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from tests.contract.doors import served
from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, until
from tests.engine.scripted import Scripted, answer, ask
from toolkit.engine import Engine
from toolkit.engine.model import ModelCall
from toolkit.server.inprocess import InProcess, LoopThread

V1 = {"OpenAI-Beta": "assistants=v1"}
CODE, RETRIEVAL, SEARCH = {"type": "code_interpreter"}, {"type": "retrieval"}, {"type": "file_search"}


class Program:
    """A program of v1 on plain HTTP, with the habits of the JavaScript client: content types without a body."""

    def __init__(self, http: httpx2.Client, headers: dict[str, str]) -> None:
        self._http, self._headers = http, {"content-type": "application/json", **headers}

    def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        content = None if body is None else json.dumps(body)
        response = self._http.request(method, f"/v1/{path}", content=content, headers=self._headers)
        assert response.status_code == status, response.text
        return response.json() if response.headers["content-type"] == "application/json" else response.text

    def upload(self, name: str, data: bytes) -> str:
        form = {"data": {"purpose": "assistants"}, "files": {"file": (name, data)}}
        file_id: str = self._http.post("/v1/files", **form).json()["id"]  # without the header, as clients send it
        return file_id


@pytest.fixture(params=["in process", "over a socket"])
def http(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Reach engines of one's own by each door: `http(*scripts)`."""
    with ExitStack() as closing:

        def start(*scripts: Any) -> httpx2.Client:
            engine = closing.enter_context(Engine("sqlite:///:memory:", model=Scripted(scripts or [answer("Hi")])))
            if request.param == "over a socket":
                client = httpx2.Client(base_url=closing.enter_context(served(engine.app)), verify=False)
            else:
                thread = LoopThread()
                closing.callback(lambda: (thread.run(engine.app.aclose()), thread.stop()))
                transport = InProcess(engine.app, thread, "default")
                client = httpx2.Client(transport=transport, base_url="http://engine")
            return closing.enter_context(client)

        yield start


def stored(ask: Program, assistant: Any) -> list[tuple[str, str]]:
    """List what the vector store of an assistant has, oldest first, as (file, status), when all of it is processed."""
    [store_id] = assistant["tool_resources"]["file_search"]["vector_store_ids"]
    until(lambda: ask("GET", f"vector_stores/{store_id}")["status"] == "completed")
    files = ask("GET", f"vector_stores/{store_id}/files?order=asc")["data"]
    return [(file["id"], file["status"]) for file in files]


def test_an_assistant_with_retrieval_has_a_vector_store_in_step_with_its_files(http: Any) -> None:
    client = http()
    v1, v2 = Program(client, V1), Program(client, {})
    a, b, c = (v1.upload(f"{name}.txt", name.encode()) for name in "abc")
    made = v1("POST", "assistants", {"model": "m", "tools": [RETRIEVAL], "file_ids": [a]})
    assert (made["tools"], made["file_ids"], "tool_resources" in made) == ([RETRIEVAL], [a], False)
    path = f"assistants/{made['id']}"
    seen = v2("GET", path)
    assert (seen["tools"], seen["tool_resources"]["code_interpreter"]) == ([SEARCH], {"file_ids": [a]})
    assert stored(v2, seen) == [(a, "completed")]

    assert v1("POST", f"{path}/files", {"file_id": b})["id"] == b
    assert v1("POST", path, {"file_ids": [b, c]})["file_ids"] == [b, c]
    assert stored(v2, v2("GET", path)) == [(b, "completed"), (c, "completed")]
    assert v2("GET", path)["tool_resources"]["file_search"] == seen["tool_resources"]["file_search"], "the same store"
    v1("DELETE", f"{path}/files/{b}")
    v1("POST", path, {"tools": [CODE]})
    v1("POST", f"{path}/files", {"file_id": a})
    changed = v1("POST", path, {"tools": [RETRIEVAL, CODE], "name": "n"})
    assert (changed["tools"], changed["file_ids"]) == ([RETRIEVAL, CODE], [c, a])
    assert sorted(stored(v2, v2("GET", path))) == sorted([(c, "completed"), (a, "completed")])

    v2("DELETE", f"files/{c}")
    assert v1("GET", path)["file_ids"] == [a]
    assert stored(v2, v2("GET", path)) == [(a, "completed")]
    v2("DELETE", f"vector_stores/{v2('GET', path)['tool_resources']['file_search']['vector_store_ids'][0]}")
    assert v1("POST", path, {"file_ids": [a, b]})["file_ids"] == [a, b]
    assert stored(v2, v2("GET", path)) == [(a, "completed"), (b, "completed")], "a new store"
    assert v1("GET", "assistants?limit=1")["data"] == [v1("GET", path)]


def test_retrieval_may_come_after_the_files(http: Any) -> None:
    client = http()
    v1, v2 = Program(client, V1), Program(client, {})
    file_id = v1.upload("a.txt", b"a")
    path = f"assistants/{v1('POST', 'assistants', {'model': 'm', 'file_ids': [file_id]})['id']}"
    assert v2("GET", path)["tool_resources"] == {"code_interpreter": {"file_ids": [file_id]}}
    v1("POST", path, {"tools": [RETRIEVAL]})
    assert stored(v2, v2("GET", path)) == [(file_id, "completed")]


def test_a_vector_store_of_v2_loses_nothing_that_v1_does_not_see(http: Any) -> None:
    client = http()
    v1, v2 = Program(client, V1), Program(client, {})
    a, b, c = (v1.upload(f"{name}.txt", name.encode()) for name in "abc")
    resources = {"code_interpreter": {"file_ids": [a]}, "file_search": {"vector_stores": [{"file_ids": [b]}]}}
    body = {"model": "m", "tools": [SEARCH, CODE], "tool_resources": resources}
    path = f"assistants/{v2('POST', 'assistants', body)['id']}"
    assert (v1("GET", path)["tools"], v1("GET", path)["file_ids"]) == ([RETRIEVAL, CODE], [a])
    v1("POST", path, {"file_ids": [c]})
    assert stored(v2, v2("GET", path)) == [(b, "completed"), (c, "completed")]
    v1("POST", path, {"name": "n", "file_ids": None})
    assert stored(v2, v2("GET", path)) == [(b, "completed")]


def test_a_refused_change_of_files_changes_nothing(http: Any) -> None:
    client = http()
    v1, v2 = Program(client, V1), Program(client, {})
    a, b = (v1.upload(f"{name}.txt", name.encode()) for name in "ab")
    made = v1("POST", "assistants", {"model": "m", "tools": [RETRIEVAL], "file_ids": [a]})
    path = f"assistants/{made['id']}"
    before = v2("GET", path)
    assert (
        v1("POST", path, {"file_ids": [b, "file-x"]}, status=404)["error"]["message"] == "No such File object: file-x"
    )
    assert v1("POST", f"{path}/files", {"file_id": "file-x"}, status=404)["error"]["param"] == "file_id"
    assert v1("POST", path, {"file_ids": [f"file-{n}" for n in range(21)]}, status=400)["error"]["param"] == "file_ids"
    assert (v2("GET", path), stored(v2, before)) == (before, [(a, "completed")])
    assert v1("GET", path) == made


def test_files_of_messages_are_attached_to_the_thread(http: Any) -> None:
    client = http()
    v1, v2 = Program(client, V1), Program(client, {})
    a, b = v1.upload("a.txt", b"a"), v1.upload("b.png", b"\x89PNG\0\0")
    thread = v1("POST", "threads", {"messages": [{"role": "user", "content": "first", "file_ids": [a]}]})
    messages = f"threads/{thread['id']}/messages"
    made = v1("POST", messages, {"role": "user", "content": "second", "file_ids": [b, a]})
    assert (made["file_ids"], "attachments" in made, "tool_resources" in thread) == ([b, a], False, False)
    assert [message["file_ids"] for message in v1("GET", f"{messages}?order=asc")["data"]] == [[a], [b, a]]
    assert v2("GET", f"{messages}/{made['id']}")["attachments"] == [
        {"file_id": file_id, "tools": [CODE, SEARCH]} for file_id in (b, a)
    ]
    seen = v2("GET", f"threads/{thread['id']}")
    assert seen["tool_resources"]["code_interpreter"] == {"file_ids": [a, b]}
    assert stored(v2, seen) == [(a, "completed"), (b, "failed")], "an image is nothing to search in, and no harm"

    files = f"{messages}/{made['id']}/files"
    listed = v1("GET", f"{files}?order=asc")
    assert listed["data"] == [
        {"id": id, "object": "thread.message.file", "created_at": made["created_at"], "message_id": made["id"]}
        for id in (b, a)
    ]
    assert v1("GET", f"{files}/{a}") == listed["data"][1]
    assert v1("GET", f"{files}/file-x", status=404)["error"]["message"] == "No file found with id 'file-x'."
    v1("GET", f"{messages}/msg_no/files", status=404)
    changed = v1("POST", f"{messages}/{made['id']}", {"metadata": {"k": "v"}})
    assert changed == {**made, "metadata": {"k": "v"}}


def test_runs_stream_and_are_read_as_v1_knows_them(http: Any) -> None:
    client = http(ask(WEATHER, FLIGHTS), answer("Sunny, ", "and no flights."))
    v1 = Program(client, V1)
    file_id = v1.upload("a.txt", b"a")
    assistant_id = v1("POST", "assistants", {"model": "m", "tools": TOOLS, "file_ids": [file_id]})["id"]
    said = {"role": "user", "content": "?", "file_ids": [file_id]}
    body = {"assistant_id": assistant_id, "thread": {"messages": [said]}, "stream": True}
    first = events(v1("POST", "threads/runs", body))
    assert (first[0][0], first[-1][0]) == ("thread.created", "thread.run.requires_action")
    run = first[-1][1]
    assert "tool_resources" not in first[0][1]
    assert (run["file_ids"], run["tools"][0]["function"]["name"]) == ([], "get_weather")
    runs = f"threads/{run['thread_id']}/runs"
    second = events(v1("POST", f"{runs}/{run['id']}/submit_tool_outputs", {"tool_outputs": BOTH, "stream": True}))
    assert second[-1][0] == "thread.run.completed"
    [message] = [data for name, data in second if name == "thread.message.completed"]
    listed = v1("GET", f"threads/{run['thread_id']}/messages")["data"]
    assert listed[0] == message
    assert [each["file_ids"] for each in listed] == [[], [file_id]]
    more = {"assistant_id": assistant_id, "tools": [], "additional_messages": [said]}
    polled = v1("POST", runs, more)
    until(lambda: v1("GET", f"{runs}/{polled['id']}")["status"] == "completed")
    steps = v1("GET", f"{runs}/{run['id']}/steps?order=asc")["data"]
    assert [step["step_details"]["type"] for step in steps] == ["tool_calls", "message_creation"]


QUERY = ModelCall("call_s", "file_search", '{"queries":["cats"]}')
MARK = "【0:0†source】"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_run_retrieves_and_cites(http: Any, streamed: bool) -> None:
    client = http(ask(QUERY), answer("Cats purr ", MARK, "."))
    v1, v2 = Program(client, V1), Program(client, {})
    file_id = v1.upload("cats.md", b"Cats purr when they are happy.")
    made = v1("POST", "assistants", {"model": "m", "tools": [RETRIEVAL], "file_ids": [file_id]})
    assert stored(v2, v2("GET", f"assistants/{made['id']}")) == [(file_id, "completed")]
    thread_id = v1("POST", "threads", {"messages": [{"role": "user", "content": "Do cats purr?"}]})["id"]
    runs, body = f"threads/{thread_id}/runs", {"assistant_id": made["id"], "tool_choice": RETRIEVAL}
    if streamed:
        told = events(v1("POST", runs, {**body, "stream": True}))
        run = told[-1][1]
        [began] = [
            data["delta"]["step_details"]["tool_calls"] for name, data in told if name == "thread.run.step.delta"
        ]
        assert began == [{"index": 0, "id": "call_s", "type": "retrieval", "retrieval": {}}]
        parts = [data["delta"]["content"][0]["text"] for name, data in told if name == "thread.message.delta"]
        assert "".join(part["value"] for part in parts) == f"Cats purr {MARK}."
        [cited] = [one for part in parts for one in part.get("annotations", ())]
        assert (cited["index"], cited["file_citation"]["quote"]) == (0, "Cats purr when they are happy.")
        assert [data for name, data in told if name == "thread.run.step.completed"][::-1] == v1(
            "GET", f"{runs}/{run['id']}/steps"
        )["data"]
    else:
        run = ended(v1, v1("POST", runs, body))
    assert (run["status"], run["tools"], run["tool_choice"]) == ("completed", [RETRIEVAL], RETRIEVAL)
    steps = v1("GET", f"{runs}/{run['id']}/steps?order=asc")["data"]
    assert steps[0]["step_details"]["tool_calls"] == [{"id": "call_s", "type": "retrieval", "retrieval": {}}]
    assert v1("GET", f"{runs}/{run['id']}/steps/{steps[0]['id']}") == steps[0]
    [message] = v1("GET", f"threads/{thread_id}/messages?run_id={run['id']}")["data"]
    [cited] = message["content"][0]["text"]["annotations"]
    quoted = {"file_id": file_id, "quote": "Cats purr when they are happy."}
    assert (cited["type"], cited["text"], cited["file_citation"]) == ("file_citation", MARK, quoted)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_run_that_brings_retrieval_along_finds_the_files_of_its_assistant(http: Any, at_once: bool) -> None:
    client = http(ask(QUERY), answer(f"Yes {MARK}."), ask(QUERY), answer("Yes."))
    v1, v2 = Program(client, V1), Program(client, {})
    file_id = v1.upload("cats.md", b"Cats purr when they are happy.")
    path = f"assistants/{v1('POST', 'assistants', {'model': 'm', 'file_ids': [file_id]})['id']}"
    thread = {"messages": [{"role": "user", "content": "Do cats purr?"}]}
    body = {"assistant_id": path.removeprefix("assistants/"), "tools": [RETRIEVAL]}

    def run() -> Any:
        if at_once:
            return ended(v1, v1("POST", "threads/runs", {**body, "thread": thread}))
        return ended(v1, v1("POST", f"threads/{v1('POST', 'threads', thread)['id']}/runs", body))

    assert run()["status"] == "completed"
    before = v2("GET", path)
    assert stored(v2, before) == [(file_id, "completed")]
    assert run()["status"] == "completed"
    assert v2("GET", path) == before, "no second store"
    bare = v1("POST", "assistants", {"model": "m"})
    body["assistant_id"] = bare["id"]
    assert run()["status"] == "completed"
    assert v2("GET", f"assistants/{bare['id']}")["tool_resources"] == {}
    body["assistant_id"] = "asst_no"
    v1("POST", "threads/runs", {**body, "thread": thread}, status=404)


def test_a_run_waits_for_the_files_of_its_assistant(http: Any) -> None:
    """A large file, attached the moment before: v1 has no status of it that a program could wait for."""
    client = http(ask(QUERY), answer("Yes."))
    v1, v2 = Program(client, V1), Program(client, {})
    file_id = v1.upload("cats.txt", b"word " * 400_000 + b"\n\nCats purr when they are happy.\n")
    made = v1("POST", "assistants", {"model": "m", "tools": [RETRIEVAL], "file_ids": [file_id]})
    thread = {"messages": [{"role": "user", "content": "Do cats purr?"}]}
    run = ended(v1, v1("POST", "threads/runs", {"assistant_id": made["id"], "thread": thread}))
    steps = v2("GET", f"threads/{run['thread_id']}/runs/{run['id']}/steps?order=asc")["data"]
    [call] = steps[0]["step_details"]["tool_calls"]
    assert file_id in [result["file_id"] for result in call["file_search"]["results"]]


def ended(ask: Program, run: Any) -> Any:
    path = f"threads/{run['thread_id']}/runs/{run['id']}"
    until(lambda: ask("GET", path)["status"] not in ("queued", "in_progress"))
    return ask("GET", path)


def events(text: str) -> list[tuple[str, Any]]:
    blocks = [block.removeprefix("event: ").split("\ndata: ") for block in text.removesuffix("\n\n").split("\n\n")]
    assert blocks.pop() == ["done", "[DONE]"]
    return [(name, json.loads(data)) for name, data in blocks]


def test_the_header_alone_changes_no_more_than_what_is_shown(http: Any) -> None:
    client = http()
    v1, v2 = Program(client, V1), Program(client, {})
    body = {
        "model": "m",
        "temperature": 0.5,
        "tools": TOOLS,
        "metadata": {"k": "v"},
        "response_format": {"type": "text"},
    }
    made = v1("POST", "assistants", body)
    assert {**v2("GET", f"assistants/{made['id']}"), "file_ids": []} == {**made, "tool_resources": {}}
    assert v1("POST", "assistants", {"model": "m", "x": 1}, status=400) == v2(
        "POST", "assistants", {"model": "m", "x": 1}, status=400
    )


def test_what_is_another_s_is_nothing_in_v1_either() -> None:
    keys = {"key-one": "one", "key-other": "other"}
    with (
        Engine("sqlite:///:memory:", model=Scripted([answer("Hi")]), api_keys=keys) as engine,
        served(engine.app) as url,
    ):
        clients = [httpx2.Client(base_url=url, headers={"api-key": key}, verify=False) for key in keys]
        one, other = (Program(client, V1) for client in clients)
        mine, theirs = one.upload("a.txt", b"a"), other.upload("b.txt", b"b")
        assistant = one("POST", "assistants", {"model": "m", "tools": [RETRIEVAL], "file_ids": [mine]})
        own = other("POST", "assistants", {"model": "m", "tools": [RETRIEVAL], "file_ids": [theirs]})
        thread = one("POST", "threads", {})["id"]
        message = one("POST", f"threads/{thread}/messages", {"role": "user", "content": "x", "file_ids": [mine]})
        files = f"assistants/{assistant['id']}/files"
        of_message = f"threads/{thread}/messages/{message['id']}/files"
        for method, path, body in (
            ("POST", f"assistants/{assistant['id']}", {"file_ids": []}),
            ("POST", files, {"file_id": theirs}),
            ("GET", files, None),
            ("GET", f"{files}/{mine}", None),
            ("DELETE", f"{files}/{mine}", None),
            ("GET", of_message, None),
            ("GET", f"{of_message}/{mine}", None),
            ("POST", f"assistants/{own['id']}/files", {"file_id": mine}),
            ("POST", f"assistants/{own['id']}", {"file_ids": [mine]}),
            ("POST", "assistants", {"model": "m", "file_ids": [mine]}),
            ("POST", "threads", {"messages": [{"role": "user", "content": "x", "file_ids": [mine]}]}),
        ):
            assert other(method, path, body, status=404)["error"]["type"] == "invalid_request_error"
        assert one("GET", f"assistants/{assistant['id']}") == assistant
        for client in clients:
            client.close()
