"""What an output cannot carry is uploaded: played with values, then with runs on an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.runs.play import HERE, OK, PICKED_UP, RUN, Play, is_get, is_post, run, said
from toolkit import (
    File,
    Image,
    LimitReached,
    Limits,
    Output,
    Result,
    RunEnded,
    ToolError,
    Toolset,
    tool,
)
from toolkit import run as run_
from toolkit import stream as stream_
from toolkit.errors import RunLost
from toolkit.runs.effects import Call, Effect, FinishedCall, Record, Reply, Request, RunTools, Sleep, TimeUp
from toolkit.runs.gate import Gate
from toolkit.runs.kept import finished_note, started_note, uploaded_note
from toolkit.testing import ScriptedServer, call
from toolkit.tools.output import output_of

PNG, PDF = Image(b"png"), File(b"pdf", "report.pdf", "application/pdf")
WAITING = Reply(200, run("requires_action", "c1"))
WAITING_2 = Reply(200, run("requires_action", "c1", "c2"))
NO = Reply(400, error=ValueError("no such purpose"))
BAD = Reply(500, error=ConnectionError("500"))


def gave(call_id: str, *values: object, **more: Any) -> FinishedCall:
    return FinishedCall(Call(call_id, "f", "{}"), output_of(list(values)), **more)


def file(number: int) -> Reply:
    return Reply(200, {"object": "file", "id": f"file-{number}"})


def names(effect: Effect) -> str:
    assert isinstance(effect, Request) and effect.file is not None
    return effect.file[0]


def outputs(effect: Effect) -> list[str]:
    assert is_post(effect, f"{RUN}/submit_tool_outputs") and isinstance(effect, Request) and effect.body is not None
    return [one["output"] for one in effect.body["tool_outputs"]]


def test_bytes_are_uploaded_one_after_the_other_and_referred_to() -> None:
    play = Play()
    effect = play.send(WAITING_2, Reply(finished=[gave("c1", "Two:", PNG, PDF), gave("c2", Image(b"other"))]))
    assert is_post(effect, "/files") and names(effect) == "f.png"
    recorded = play.send(file(1))
    assert isinstance(recorded, Record) and isinstance(effect, Request)
    assert (recorded.run_id, recorded.call.id, recorded.file_id, recorded.error) == ("run_1", "c1", "file-1", None)
    assert recorded.key == effect.headers["Idempotency-Key"]
    assert names(play.send(Reply())) == "report.pdf"
    assert names(play.send(file(2), Reply())) == "f.png"
    first, second = outputs(play.send(file(3), Reply()))
    assert [line.partition(" (")[0] for line in first.splitlines()] == [
        "Two:",
        "[An image, file-1",
        "[A file, report.pdf, file-2",
    ]
    assert second.startswith("[An image, file-3 (image/png, 5 bytes).")
    result = play.end(Reply(200, OK, messages=[said("Nice")]))
    assert result.file_ids == ("file-1", "file-2", "file-3")
    assert result.calls[0].output == Output(
        first, True, ("Two:", replace(PNG, file_id="file-1"), replace(PDF, file_id="file-2"))
    )
    assert [one.output.images[0].file_id for one in result.calls] == ["file-1", "file-3"]


def test_the_same_bytes_are_uploaded_once_in_a_run() -> None:
    play = Play()
    play.send(WAITING_2, Reply(finished=[gave("c1", PNG), gave("c2", PNG)]))
    effect = play.send(file(1), Reply())
    assert [text.partition(" (")[0] for text in outputs(effect)] == ["[An image, file-1"] * 2
    effect = play.send(Reply(200, run("requires_action", "c3")), Reply(finished=[gave("c3", "Again:", PNG)]))
    assert "file-1" in outputs(effect)[0]
    assert play.end(Reply(200, OK)).file_ids == ("file-1",)


def test_what_is_somewhere_already_is_not_uploaded() -> None:
    play = Play()
    there = gave("c1", Image(url="https://example.org/a.png"), Image(file_id="file-9"), File(b"", "empty.txt"))
    effect = play.send(WAITING, Reply(finished=[there]))
    assert outputs(effect) == [there.output.content]
    result = play.end(Reply(200, OK))
    assert (result.file_ids, result.calls) == ((), (there,))


@pytest.mark.parametrize("lost", [BAD, Reply(None, error=ConnectionError("lost")), Reply(429, error=ValueError("429"))])
def test_an_upload_is_tried_again_as_other_requests_are(lost: Reply) -> None:
    play = Play()
    first = play.send(WAITING, Reply(finished=[gave("c1", PNG)]))
    assert play.send(lost) == Sleep(0.1)
    assert play.send(Reply()) == first
    assert play.send(replace(lost, headers={"retry-after": "3"})) == Sleep(3.0)
    assert play.send(Reply()) == first
    assert "file-1" in outputs(play.send(file(1), Reply()))[0]


@pytest.mark.parametrize("no", [NO, Reply(413, error=ValueError("too large")), Reply(200, {"object": "list"})])
def test_what_cannot_be_uploaded_is_told_to_the_model_and_the_run_goes_on(no: Reply) -> None:
    play = Play()
    play.send(WAITING_2, Reply(finished=[gave("c1", PNG, "!"), gave("c2", PDF)]))
    recorded = play.send(no)
    assert isinstance(recorded, Record) and recorded.file_id is None
    assert recorded.error is no.error or isinstance(recorded.error, RunLost)
    told = outputs(play.send(Reply(), file(2), Reply()))
    assert [text.splitlines()[1:] for text in told] == [["[It could not be uploaded.]", "!"], []]
    assert told[0].startswith("[An image (image/png, 3 bytes)") and told[0].count("cannot see it.]") == 1
    result = play.end(Reply(200, OK))
    assert (result.calls[0].error, result.calls[0].output.ok) == (recorded.error, True)
    assert (result.calls[0].output.images, result.file_ids) == ((PNG,), ("file-2",))


def test_a_server_that_is_away_is_not_waited_for_with_each_file() -> None:
    play = Play()
    pauses: list[float] = []
    effect = play.send(WAITING_2, Reply(finished=[gave("c1", PNG), gave("c2", PDF)]))
    while not isinstance(effect, Record):
        effect = play.send(BAD if isinstance(effect, Request) else Reply())
        pauses += [effect.seconds] if isinstance(effect, Sleep) else []
    assert sum(pauses) < 30
    assert names(play.send(Reply())) == "report.pdf"
    assert isinstance(play.send(BAD), Record)
    assert ["could not be uploaded" in text for text in outputs(play.send(Reply()))] == [True, True]


def test_what_a_tool_raised_goes_before_what_its_upload_did() -> None:
    play = Play()
    error = ToolError("half done")
    play.send(WAITING, Reply(finished=[replace(gave("c1", PNG, error=error), output=Output("no", False, (PNG,)))]))
    play.send(NO, Reply())
    [finished] = play.end(Reply(200, OK)).calls
    assert (finished.error, finished.output.ok) == (error, False)


def test_the_text_still_fits() -> None:
    @tool
    def f() -> list[object]:
        """Give much."""
        return []

    small = Toolset(f, max_output_bytes=300)
    play = Play(gate=Gate(toolset=small))
    play.send(WAITING, Reply(finished=[gave("c1", PNG, "x" * 400)]))
    [text] = outputs(play.send(file(1), Reply()))
    assert len(text) <= 300 and text.startswith("[An image, file-1 (")


def test_a_run_that_is_left_in_the_middle_says_what_was_uploaded() -> None:
    play = Play(limits=Limits(seconds=1))
    play.send(WAITING_2, Reply(finished=[gave("c1", PNG), gave("c2", PDF)]), file(1), Reply())
    assert is_post(play.send(Reply(None, left=TimeUp())), f"{RUN}/cancel")
    with pytest.raises(LimitReached) as caught:
        play.send(Reply(200, run("cancelled")))
    assert caught.value.result is not None and caught.value.result.file_ids == ("file-1",)


def test_an_expired_run_hands_over_what_was_uploaded() -> None:
    play = Play(replace(HERE, on_expiry="new_run"))
    refused, expired = Reply(400, error=ValueError("expired")), Reply(200, run("expired"))
    play.send(WAITING, Reply(finished=[gave("c1", PNG)]), file(1), Reply())
    play.send(refused, expired, Reply(200, {"data": [run("expired")]}))
    asked = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}", "output": None}}]
    effect = play.send(Reply(200, {"data": [{"step_details": {"type": "tool_calls", "tool_calls": asked}}]}))
    assert isinstance(effect, Request) and effect.body is not None
    assert "Answer: [An image, file-1 (" in effect.body["additional_messages"][0]["content"]
    assert play.end(Reply(200, {**OK, "id": "run_2"})).file_ids == ("file-1",)


def test_what_the_journal_knows_is_not_uploaded_again() -> None:
    play = Play(PICKED_UP, gate=Gate(toolset=Toolset(), has_journal=True))
    assert is_get(play.effect, RUN)
    play.send(WAITING)
    c1 = Call("c1", "f", "{}")
    upload = HERE.upload(run("requires_action"), c1, PNG)
    notes = [started_note(c1, 0), finished_note(gave("c1", PNG, PDF))]
    kept = dict([*notes, uploaded_note(upload.headers["Idempotency-Key"], "file-1")])
    effect = play.send(Reply(kept=kept))
    assert isinstance(effect, RunTools)
    assert names(play.send(Reply(finished=[effect.settled[0]]))) == "report.pdf"
    [text] = outputs(play.send(file(2), Reply()))
    assert "file-1" in text and "file-2" in text
    play.send(Reply(200, OK))
    assert play.end(Reply(200, {"data": []})).file_ids == ("file-1", "file-2")


# -- on an engine ------------------------------------------------------------------------------------------------------


@tool
def plot(n: int) -> list[object]:
    """Plot it."""
    return ["The plot:", Image(b"\x89PNG%d" % n), File(b"pdf", "r\u00e4port.pdf", "application/pdf")]


TOOLS = Toolset(plot)
Way = Callable[..., Result]


def _blocking(server: ScriptedServer, tools: Toolset = TOOLS) -> Result:
    with server.client() as client:
        return run_(client, tools, assistant_id=server.assistant(tools), input="Plot.")


def _streamed(server: ScriptedServer, tools: Toolset = TOOLS) -> Result:
    with server.client() as client:
        with stream_(client, tools, assistant_id=server.assistant(tools), input="Plot.") as events:
            [*_, last] = events
        assert isinstance(last, RunEnded)
        return last.result


def _awaiting(server: ScriptedServer, tools: Toolset = TOOLS) -> Result:
    async def main() -> Result:
        async with server.aclient() as client:
            return await run_(client, tools, assistant_id=server.assistant(tools), input="Plot.")

    return asyncio.run(main())


@pytest.fixture(params=[_blocking, _streamed, _awaiting], ids=["sync", "streamed", "async"])
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.mark.parametrize("faults", [{}, {"create": "cut:2", "submit": "cut:1"}], ids=["streams", "reads"])
def test_the_files_are_there_and_the_model_is_told_their_ids(way: Way, faults: dict[str, str]) -> None:
    with ScriptedServer([call("plot", n=1), call("plot", n=2)], "Nice.", faults=faults) as server:
        result = way(server)
        with server.engine.client() as client:
            files = [client.files.retrieve(file_id) for file_id in result.file_ids]
            bytes_ = [client.files.content(file_id).read() for file_id in result.file_ids]
            assert len(client.files.list().data) == 3
    assert [(one.filename, one.purpose) for one in files] == [
        ("plot.png", "vision"),
        ("r\u00e4port.pdf", "assistants"),
        ("plot.png", "vision"),
    ]
    assert bytes_ == [b"\x89PNG1", b"pdf", b"\x89PNG2"]
    assert server.model.asked[-1].outputs == [one.output.content for one in result.calls]
    assert all(file_id in "".join(server.model.asked[-1].outputs) for file_id in result.file_ids)


def test_an_upload_whose_answer_was_lost_is_there_once(way: Way) -> None:
    with ScriptedServer(call("plot", n=1), "Nice.", faults={"upload": "503-done drop-done ok drop"}) as server:
        result = way(server)
        server.assert_played()
        with server.engine.client() as client:
            assert {one.id for one in client.files.list()} == set(result.file_ids)
    assert (len(result.file_ids), result.text) == (2, "Nice.")


def test_names_and_types_are_kept_in_their_place(way: Way) -> None:
    @tool
    def plot(n: int) -> list[object]:
        """Plot it."""
        return [File(b"1", 'a"b\r\nc;=.pdf', "te\r\nxt"), File(b"2", "\ud800/../x.txt"), Image(b"3", "image/png; x=y")]

    with ScriptedServer(call("plot", n=1), "Nice.") as server:
        result = way(server, Toolset(plot))
        with server.engine.client() as client:
            names = [client.files.retrieve(file_id).filename for file_id in result.file_ids]
    assert names == ['a"b%0D%0Ac;=.pdf', "x.txt", "plot.octet-stream"]


def test_an_upload_that_is_refused_is_logged_and_told(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedServer(call("plot", n=1), "A pity.", faults={"upload": "403"}) as server:
        result = way(server)
    [told] = server.model.asked[-1].outputs
    assert told.splitlines()[2] == "[It could not be uploaded.]"
    assert "tool plot: what call" in caplog.text and "PermissionDeniedError" in caplog.text
    assert (type(result.calls[0].error).__name__, len(result.file_ids)) == ("PermissionDeniedError", 1)
