from __future__ import annotations

import asyncio
import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from toolkit import File, Image, Limits, Result, TextDelta, Toolset, run, stream, tool
from toolkit.testing.cassettes import ReplayMismatch, areplay, record, replay
from toolkit.testing.server import ScriptedServer
from toolkit.testing.turns import call

KEY = "sk-proj-abcdefgh12345678"
made: list[str] = []


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    made.append(city)
    return f"Sunny in {city}."


TOOLS = Toolset(weather)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "weather.jsonl"


def lines(tape: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tape.read_text(encoding="utf-8").splitlines()]


def recorded_run(tape: Path, faults: dict[str, str] | None = None) -> tuple[str, Result]:
    says = [call("weather", city="Seoul"), call("weather", city="Paris")], ["Fine ", "everywhere."]
    with ScriptedServer(*says, faults=faults) as server:
        assistant_id = server.assistant(TOOLS)
        with record(server.client(), tape) as client:
            return assistant_id, run(client, TOOLS, assistant_id=assistant_id, input="Weather?")


@pytest.mark.parametrize("faults", [None, {"submit": "500 cut:3", "create": "cut:2"}], ids=["fine", "faulty"])
def test_a_run_is_played_again_with_the_same_ids_and_other_keys(tape: Path, faults: dict[str, str] | None) -> None:
    assistant_id, before = recorded_run(tape, faults)
    made.clear()
    with replay(tape) as client:
        after = run(client, TOOLS, assistant_id=assistant_id, input="Weather?")
    assert (after.text, after.run_id, after.messages_json) == (before.text, before.run_id, before.messages_json)
    assert sorted(made) == ["Paris", "Seoul"]


def test_files_that_a_run_uploads_are_played_again(tape: Path) -> None:
    @tool
    def plot(city: str) -> list[object]:
        """Plot the weather."""
        return [Image(b"\x89PNG" + city.encode()), File(b"csv", "week.csv")]

    plots = Toolset(plot)
    with ScriptedServer(call("plot", city="Seoul"), "Here.") as server, record(server.client(), tape) as client:
        assistant_id = server.assistant(plots)
        before = run(client, plots, assistant_id=assistant_id, input="Weather?")
    with replay(tape) as client:
        after = run(client, plots, assistant_id=assistant_id, input="Weather?")
    assert (after.text, after.file_ids) == ("Here.", before.file_ids)
    uploads = [one for one in lines(tape) if one["request"]["path"] == "/files"]
    assert [sorted(one["request"]["body"]) for one in uploads] == [["bytes", "sha256"]] * 2
    assert len(after.file_ids) == 2


def test_what_was_recorded_blocking_is_played_awaiting_and_streamed(tape: Path) -> None:
    assistant_id, before = recorded_run(tape)

    async def main() -> tuple[list[str], Result]:
        async with (
            areplay(tape) as client,
            stream(client, TOOLS, assistant_id=assistant_id, input="Weather?") as events,
        ):
            pieces = [event.text async for event in events if isinstance(event, TextDelta)]
            return pieces, events.result

    pieces, after = asyncio.run(main())
    assert pieces == ["Fine ", "everywhere."]
    assert after.run_id == before.run_id


def test_what_was_recorded_awaiting_is_played_blocking(tape: Path) -> None:
    async def main() -> str:
        with ScriptedServer("Hi") as server:
            async with record(server.aclient(), tape) as client:
                assert isinstance(client, AsyncOpenAI)
                assistant_id = server.assistant()
                await run(client, assistant_id=assistant_id, input="Hello")
                return assistant_id

    assistant_id = asyncio.run(main())
    with replay(tape) as client:
        assert run(client, assistant_id=assistant_id, input="Hello").text == "Hi"


def test_a_cassette_is_read_by_people(tape: Path) -> None:
    recorded_run(tape)
    first, second = lines(tape)
    assert list(first) == ["request", "answer"]
    assert first["request"]["method"] == "POST"
    assert first["request"]["path"] == "/threads/runs"
    assert first["request"]["body"]["thread"] == {"messages": [{"role": "user", "content": "Weather?"}]}
    assert first["answer"]["events"][0].startswith("event: thread.created\ndata: {")
    assert all(event.endswith("\n\n") for event in second["answer"]["events"])
    assert set(first["answer"]["headers"]) <= {"content-type", "date", "openai-poll-after-ms", "openai-processing-ms",
                                               "openai-version", "x-idempotency-key", "x-request-id"}  # fmt: skip


def test_another_body_is_told_line_by_line(tape: Path) -> None:
    assistant_id, _ = recorded_run(tape)
    with replay(tape) as client, pytest.raises(ReplayMismatch) as mismatch:
        run(client, TOOLS, assistant_id=assistant_id, input="Rain?")
    said = str(mismatch.value)
    assert "weather.jsonl has no answer to request 1, POST /threads/runs, with this body:" in said
    assert '-        "content": "Weather?"\n+        "content": "Rain?"' in said


@pytest.mark.parametrize("limits", [Limits(), Limits(seconds=30)])
def test_a_tool_that_answers_otherwise_is_told_to_the_awaiting_too(tape: Path, limits: Limits) -> None:
    assistant_id, _ = recorded_run(tape)

    @tool(name="weather")
    def other(city: str) -> str:
        """Weather in a city."""
        return f"Rainy in {city}."

    async def main() -> None:
        async with areplay(tape) as client:
            await run(client, Toolset(other), assistant_id=assistant_id, input="Weather?", limits=limits)

    with pytest.raises(ReplayMismatch):
        asyncio.run(main())


def test_another_path_and_the_end_are_told(tape: Path) -> None:
    assistant_id, _ = recorded_run(tape)
    with replay(tape) as client:
        with pytest.raises(ReplayMismatch, match=r"GET /models\. The next that was recorded is POST /threads/runs"):
            client.models.list()
        run(client, TOOLS, assistant_id=assistant_id, input="Weather?")
        with pytest.raises(ReplayMismatch, match="request 3, GET /models: all 2 of its exchanges have been played"):
            client.models.list()


def test_members_that_differ_each_time_may_be_ignored(tape: Path) -> None:
    with ScriptedServer("Hi") as server, record(server.client(), tape, ignore=["metadata"]) as client:
        client.beta.threads.create(metadata={"at": "10:00"}, messages=[{"role": "user", "content": "Hi"}])
    assert "10:00" not in tape.read_text().partition('"answer"')[0]
    with replay(tape, ignore=["metadata"]) as client:
        assert client.beta.threads.create(metadata={"at": "11:00"}, messages=[{"role": "user", "content": "Hi"}]).id


@pytest.mark.parametrize("line", ['{"request": ', "[]", '{"request": {}}'])
def test_a_line_that_is_no_exchange_is_named(tape: Path, line: str) -> None:
    tape.parent.mkdir()
    tape.write_text('{"request": {}, "answer": {}}\n\n' + line)
    with pytest.raises(ValueError, match=r"Line 3 of .*weather\.jsonl is no recorded exchange"):
        replay(tape)


def test_there_is_no_cassette(tape: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no cassette .*weather.jsonl. Make it once: record\(client, '"):
        replay(tape)


class Elsewhere:
    """A service that answers as real ones do, compressed and with headers that are nobody's business."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        headers = {
            "set-cookie": "session=s3cr3t-cookie",
            "openai-organization": "acme-inc",
            "x-ratelimit-remaining-requests": "9",
            "content-encoding": "gzip",
            "content-type": "application/json",
        }
        said = {"object": "list", "data": [], "note": f"Your key is {KEY}", "password": "hunter2"}
        return httpx2.Response(200, headers=headers, content=gzip.compress(json.dumps(said).encode()))

    def client(self) -> OpenAI:
        http = httpx2.Client(transport=httpx2.MockTransport(self))
        return OpenAI(
            api_key="a-key-of-another-kind",
            base_url="https://llm.example/v1",
            organization="org-abcdefgh1234",
            http_client=http,
            max_retries=0,
        )


def test_no_secret_is_written(tape: Path) -> None:
    elsewhere = Elsewhere()
    body = {"note": "my word is plover-42 and a-key-of-another-kind", "api_key": "abc", "filter": {"key": "author"}}
    with record(elsewhere.client(), tape, scrub=["plover-42"]) as client:
        answer = client.post("/things?key=topsecret&b=2&a=1", body=body, cast_to=dict[str, Any])
        assert answer["note"] == f"Your key is {KEY}"  # the program itself sees all there is
    assert elsewhere.asked[0].headers["authorization"] == "Bearer a-key-of-another-kind"
    written = tape.read_text()
    for secret in (KEY, "a-key-of-another-kind", "org-abcdefgh1234", "plover-42", "topsecret", "s3cr3t", "acme-inc",
                   "hunter2", '"abc"'):  # fmt: skip
        assert secret not in written
    [line] = lines(tape)
    assert line["request"] == {
        "method": "POST",
        "path": "/things?a=1&b=2&key=[scrubbed]",
        "body": {
            "note": "my word is [scrubbed] and [scrubbed]",
            "api_key": "[scrubbed]",
            "filter": {"key": "author"},
        },
    }
    assert line["answer"]["headers"] == {"content-type": "application/json", "x-ratelimit-remaining-requests": "9"}
    with replay(tape, scrub=["plover-42", "another"]) as client, pytest.raises(ReplayMismatch):
        client.post("/things?key=topsecret&b=2&a=1", body={"note": "else"}, cast_to=dict[str, Any])
    with replay(tape, scrub=["plover-42", "a-key-of-another-kind"]) as client:
        again = client.post("/things?key=other&b=2&a=1", body=body, cast_to=dict[str, Any])
    assert again["note"] == "Your key is [scrubbed]"


def test_files_are_compared_by_what_is_in_them(tape: Path) -> None:
    with ScriptedServer() as server, record(server.client(), tape) as client:
        file = client.files.create(file=("a.txt", b"Some text"), purpose="assistants")
        assert client.files.content(file.id).read() == b"Some text"
        binary = client.files.create(file=("a.bin", bytes(range(256))), purpose="user_data")
        client.files.content(binary.id).read()
    assert set(lines(tape)[0]["request"]["body"]) == {"bytes", "sha256"}
    with replay(tape) as client:
        again = client.files.create(file=("a.txt", b"Some text"), purpose="assistants")
        assert client.files.content(again.id).read() == b"Some text"
        client.files.create(file=("a.bin", bytes(range(256))), purpose="user_data")
        assert client.files.content(binary.id).read() == bytes(range(256))
    with replay(tape) as client, pytest.raises(ReplayMismatch):
        client.files.create(file=("a.txt", b"Other text"), purpose="assistants")


def test_a_stream_left_early_is_kept_as_far_as_it_came(tape: Path) -> None:
    with ScriptedServer(["One ", "two ", "three"]) as server:
        assistant_id, thread_id = server.assistant(), server.engine.client().beta.threads.create().id
        with record(server.client(), tape) as client:
            events = client.beta.threads.runs.create(thread_id, assistant_id=assistant_id, stream=True)
            next(events)
            events.response.close()
    [line] = lines(tape)
    assert line["answer"]["events"][0].startswith("event: thread.run.created")


def test_errors_are_answers_too(tape: Path) -> None:
    with ScriptedServer() as server, record(server.client(), tape) as client:
        with pytest.raises(Exception, match="No thread found"):
            client.beta.threads.retrieve("thread_none")
    with replay(tape) as client, pytest.raises(Exception, match="No thread found"):
        client.beta.threads.retrieve("thread_none")


def test_a_played_client_does_not_warn_of_the_api_s_age(tape: Path) -> None:
    with ScriptedServer() as server, record(server.client(), tape) as client:
        client.beta.assistants.create(model="any")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with replay(tape) as client:
            client.beta.assistants.create(model="any")


def test_texts_with_other_line_ends_and_halves_of_characters_are_kept(tape: Path) -> None:
    odd = "one\u2028two\x85three\ud83d"
    said, head = json.dumps({"said": odd}), {"content-type": "application/json"}
    answers = httpx2.MockTransport(lambda request: httpx2.Response(200, content=said, headers=head))
    client = OpenAI(api_key="k", base_url="http://a/v1", http_client=httpx2.Client(transport=answers))
    with record(client, tape) as client:
        assert client.get("/odd", cast_to=dict[str, Any]) == {"said": odd}
    with replay(tape) as client:
        assert client.get("/odd", cast_to=dict[str, Any]) == {"said": odd}


def test_tries_of_the_client_itself_are_played_as_they_were(tape: Path) -> None:
    with ScriptedServer("Hi", faults={"assistant": "500 429"}) as server, record(server.client(), tape) as client:
        client.beta.assistants.create(model="any")
    assert [line["answer"]["status"] for line in lines(tape)] == [500, 429, 200]
    with replay(tape) as client:
        client.beta.assistants.create(model="any")
