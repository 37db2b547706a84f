"""Whole runs against a real server on a port, in both worlds."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable

import openai
import pytest

from tests.runs.conftest import World, awaiting, blocking
from tests.runs.scripted import Calls, Ends, Says, Service
from toolkit import (
    CallFinished,
    CallStarted,
    LimitReached,
    Limits,
    RunCancelled,
    RunEnded,
    RunError,
    RunExpired,
    RunFailed,
    RunLost,
    ServerEvent,
    TextDelta,
    Toolset,
    run,
    stream,
    tool,
)

Serve = Callable[[Service], str]
HERE = {"assistant_id": "asst_1", "thread_id": "thread_1"}
NEW = {"assistant_id": "asst_1", "input": "Hello"}
DOUBLE = ("double", '{"n": 4}')


class Tools:
    """A toolset that counts: no tool may run twice."""

    def __init__(self) -> None:
        self.made: list[object] = []

        @tool
        def double(n: int) -> int:
            """Double a number."""
            self.made.append(n)
            return 2 * n

        @tool
        async def shout(text: str) -> str:
            """Say it louder."""
            self.made.append(text)
            await asyncio.sleep(0)
            return text.upper()

        self.set = Toolset(double, shout)


@pytest.fixture
def tools() -> Tools:
    return Tools()


def outputs(service: Service, turn: int = 0) -> list[str]:
    return [one["output"] for one in service.bodies("submit")[turn]["tool_outputs"]]


def test_a_plain_run(world: World, serve: Serve) -> None:
    service = Service([Says("Good morning")])
    result = world.run(serve(service), **HERE)
    assert (result.text, result.status, result.run_id, result.thread_id) == (
        "Good morning",
        "completed",
        "run_1",
        "thread_1",
    )
    assert result.usage is not None
    assert result.usage.total_tokens == 12
    assert [kind for kind, _, _ in service.requests] == ["create"]


def test_parallel_calls_over_two_rounds(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE, ("shout", '{"text": "hi"}')]), Calls([DOUBLE]), Says("8, HI, 8")])
    result = world.run(serve(service), tools.set, **HERE)
    assert result.text == "8, HI, 8"
    assert [outputs(service, 0), outputs(service, 1)] == [["8", "HI"], ["8"]]
    assert [one.output.content for one in result.calls] == ["8", "HI", "8"]
    assert result.turns == 2
    assert [kind for kind, _, _ in service.requests] == ["create", "submit", "submit"]


def test_what_a_request_carries(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Says("ok")])
    world.run(serve(service), tools.set, **HERE, temperature=0.5, model=None, override_tools=[])
    assert service.bodies("create") == [{"assistant_id": "asst_1", "temperature": 0.5, "tools": [], "stream": True}]
    headers = service.headers("create") + service.headers("submit")
    assert {one["openai-beta"] for one in headers} == {"assistants=v2"}
    assert len({one["idempotency-key"] for one in headers}) == 2


def test_a_tool_nobody_has_is_told_to_the_model(world: World, serve: Serve) -> None:
    service = Service([Calls([("nothing", "{}")]), Says("sorry")])
    result = world.run(serve(service), **HERE)
    assert "nothing" in outputs(service)[0]
    assert not result.calls[0].output.ok


def test_a_new_thread_from_text(world: World, serve: Serve) -> None:
    service = Service([Says("Hello yourself")])
    assert world.run(serve(service), **NEW).thread_id == "thread_1"
    [body] = service.bodies("create_thread")
    assert body["thread"] == {"messages": [{"role": "user", "content": "Hello"}]}


def test_input_for_a_thread_there_is(world: World, serve: Serve) -> None:
    service = Service([Says("Hello yourself")])
    world.run(serve(service), **HERE, input=[{"role": "user", "content": "Hello"}])
    [body] = service.bodies("create")
    assert body["additional_messages"] == [{"role": "user", "content": "Hello"}]


def test_one_stream_over_all_rounds(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Says("It is 8.")])
    events = world.events(serve(service), tools.set, **HERE)
    assert [event.name for event in events if isinstance(event, ServerEvent)] == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.run.requires_action",
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        "thread.message.delta",
        "thread.message.delta",
        "thread.message.completed",
        "thread.run.completed",
    ]
    ours = [event for event in events if not isinstance(event, ServerEvent)]
    assert [type(event) for event in ours] == [CallStarted, CallFinished, TextDelta, TextDelta, RunEnded]
    assert ours[1].finished.output.content == "8"
    assert ours[2:4] == [TextDelta("It ", "msg_1"), TextDelta("is 8.", "msg_1")]


def test_the_text_alone(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Says("It is 8.")])
    pieces, result = world.text(serve(service), tools.set, **HERE)
    assert pieces == ["It ", "is 8."]
    assert result.text == "It is 8."


@pytest.mark.parametrize("fault", ["cut:1", "cut:3", "cut:5", "json"])
def test_a_stream_that_breaks_is_gone_on_with_by_polling(world: World, serve: Serve, tools: Tools, fault: str) -> None:
    service = Service([Calls([DOUBLE]), Says("It is 8.")], faults={"create": [fault], "submit": [fault]})
    pieces, result = world.text(serve(service), tools.set, **HERE)
    assert (service.count("create"), service.count("submit"), len(service.runs)) == (1, 1, 1)
    assert tools.made == [4]
    assert (result.text, "".join(pieces)) == ("It is 8.", "It is 8.")
    assert service.headers("read")[0]["x-stainless-poll-helper"] == "true"


def test_a_stream_cut_within_a_message_gives_the_rest_of_the_text(world: World, serve: Serve) -> None:
    service = Service([Says("It is 8.")], faults={"create": ["cut:6"]})
    pieces, _ = world.text(serve(service), **HERE)
    assert pieces == ["It ", "is 8."]


def test_an_error_event_in_place_of_a_run_counts_as_no_answer(world: World, serve: Serve) -> None:
    service = Service([Says("Hello")], faults={"create": ["error"]})
    assert world.run(serve(service), **HERE).text == "Hello"
    assert len(service.runs) == 1
    service = Service([Says("Hello")], faults={"create": ["error"] * 9})
    with pytest.raises(openai.APIError, match="overloaded"):
        world.run(serve(service), **HERE)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not-kept"])
@pytest.mark.parametrize("fault", ["500", "500-done", "drop", "drop-done", "429", "cut:0"])
@pytest.mark.parametrize("at", ["create", "submit"])
def test_a_post_that_is_not_answered(world: World, serve: Serve, tools: Tools, at: str, fault: str, kept: bool) -> None:
    service = Service([Calls([DOUBLE]), Says("It is 8.")], faults={at: [fault]}, keeps_keys=kept)
    result = world.run(serve(service), tools.set, **HERE)
    assert result.text == "It is 8."
    assert len(service.runs) == 1
    assert tools.made == [4]
    assert len({headers["idempotency-key"] for headers in service.headers(at)}) == 1
    if len(service.bodies("submit")) == 2:
        assert outputs(service, 0) == outputs(service, 1)


@pytest.mark.parametrize("fault", ["500-done", "drop-done", "drop"])
def test_a_thread_and_run_that_may_have_been_made_is_not_made_again(world: World, serve: Serve, fault: str) -> None:
    service = Service([Says("Hello")], faults={"create_thread": [fault]})
    with pytest.raises(RunLost, match="second run") as lost:
        world.run(serve(service), **NEW)
    assert lost.value.run is None
    assert service.count("create_thread") == 1


@pytest.mark.parametrize("fault", ["500-done", "drop-done", "drop"])
def test_a_thread_and_run_is_asked_for_again_where_keys_are_kept(world: World, serve: Serve, fault: str) -> None:
    service = Service([Says("Hello")], faults={"create_thread": [fault]}, keeps_keys=True)
    assert world.run(serve(service), **NEW).text == "Hello"
    assert (service.count("create_thread"), len(service.runs)) == (2, 1)


def test_a_thread_and_run_refused_for_the_rate_is_asked_for_again(world: World, serve: Serve) -> None:
    service = Service([Says("Hello")], faults={"create_thread": ["429", "429"]})
    assert world.run(serve(service), **NEW).text == "Hello"


def test_an_older_run_is_not_taken_for_ours(world: World, serve: Serve) -> None:
    service = Service([Says("old"), Says("new")], faults={})
    service.start("asst_1")
    service.runs[0]["created_at"] -= 10
    service.messages.clear()
    service.faults["create"] = ["drop"]
    result = world.run(serve(service), **HERE)
    assert (result.run_id, result.text) == ("run_2", "new")


def test_reads_that_fail_are_repeated(world: World, serve: Serve) -> None:
    faults = {"create": ["cut:2"], "read": ["500", "drop", "429"], "messages": ["500"]}
    service = Service([Says("Hello")], faults=faults, reads_before_done=2)
    assert world.run(serve(service), **HERE).text == "Hello"


def test_what_is_refused_before_there_is_a_run_is_the_clients_own_exception(world: World, serve: Serve) -> None:
    service = Service([])
    with pytest.raises(openai.NotFoundError):
        world.run(serve(service), assistant_id="asst_none", thread_id="thread_1")
    assert [kind for kind, _, _ in service.requests] == ["create"]


def test_no_server_at_all_is_the_clients_own_exception(world: World) -> None:
    with pytest.raises(openai.APIConnectionError):
        world.run("http://127.0.0.1:9/v1", **HERE)


def test_a_page_that_is_no_api(world: World, serve: Serve) -> None:
    service = Service([Says("Hello")], faults={"create": ["json"]}, reads_before_done=0)
    service.play = lambda: [("", {"object": "page"})]  # type: ignore[method-assign]
    with pytest.raises(RunLost, match="carried no run"):
        world.run(serve(service), **HERE)


@pytest.mark.parametrize(
    ("status", "kind"), [("failed", RunFailed), ("expired", RunExpired), ("cancelled", RunCancelled)]
)
def test_bad_ends_raise_with_the_run(
    world: World, serve: Serve, tools: Tools, status: str, kind: type[RunError]
) -> None:
    service = Service([Calls([DOUBLE]), Ends(status)])
    with pytest.raises(kind) as ended:
        world.run(serve(service), tools.set, **HERE)
    assert ended.value.run is not None
    assert ended.value.run.status == status
    assert ended.value.result is not None
    assert [one.output.content for one in ended.value.result.calls] == ["8"]
    assert service.count("cancel") == 0
    if isinstance(ended.value, RunFailed):
        assert ended.value.code == "rate_limit_exceeded"
        assert "try again in 20 seconds" in str(ended.value)


def test_incomplete_is_a_result(world: World, serve: Serve) -> None:
    result = world.run(serve(Service([Says("It is", "incomplete")])), **HERE)
    assert (result.status, result.text) == ("incomplete", "It is")


def test_a_run_that_expires_while_its_tools_run(world: World, serve: Serve) -> None:
    service = Service([Calls([("expire", "{}")]), Says("never")])

    @tool
    def expire() -> str:
        """Take too long."""
        service.runs[-1].update(status="expired", required_action=None)
        return "late"

    with pytest.raises(RunExpired):
        world.run(serve(service), Toolset(expire), **HERE)
    assert service.count("submit") == 1


def test_outputs_that_the_server_refuses_end_the_run(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Says("never")], faults={"submit": ["413"]})
    with pytest.raises(RunError, match="refused") as refused:
        world.run(serve(service), tools.set, **HERE)
    assert isinstance(refused.value.__cause__, openai.APIStatusError)
    assert service.count("cancel") == 1


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["hang", "hang-done", "silent:0", "silent:2", "drip:0", "drip:2", "drip:6", "fades:2"]
)
def test_a_server_that_says_nothing_meets_the_limit_in_seconds(world: World, serve: Serve, fault: str) -> None:
    service = Service([Says("never seen")], faults={"create": [fault]})
    began = time.monotonic()
    with pytest.raises(LimitReached) as reached:
        world.run(serve(service), **HERE, limits=Limits(seconds=0.3))
    assert time.monotonic() - began < 5
    assert reached.value.limit == "seconds"


@pytest.mark.parametrize("fault", ["held", "silent:99", "drip:99"])
def test_an_answer_left_open_behind_its_last_word_is_not_waited_for(
    world: World, serve: Serve, tools: Tools, fault: str
) -> None:
    service = Service([Calls([DOUBLE]), Says("It is 8.")], faults={"create": [fault], "submit": [fault]})
    began = time.monotonic()
    assert world.run(serve(service), tools.set, **HERE, limits=Limits(seconds=20)).text == "It is 8."
    assert time.monotonic() - began < 10
    assert service.count("read") == 0


def test_connections_are_used_again(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Calls([DOUBLE]), Says("It is 8.")])
    world.run(serve(service), tools.set, **HERE)
    assert service.connections == 1


def test_a_run_that_stays_queued_meets_the_limit_in_seconds(world: World, serve: Serve) -> None:
    service = Service([Says("never")], faults={"create": ["cut:2"]}, reads_before_done=10_000)
    with pytest.raises(LimitReached) as reached:
        world.run(serve(service), **HERE, limits=Limits(seconds=0.2))
    assert service.count("cancel") == 1
    assert service.bodies("cancel") == [None]
    assert reached.value.run is not None
    assert reached.value.run.status == "cancelled"


@pytest.mark.parametrize("calls", [1, 2])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_tool_still_running_at_the_limit_is_not_waited_for(world: World, serve: Serve, calls: int, kind: str) -> None:
    never = threading.Event()

    @tool(name="wait")
    def wait() -> None:
        """Wait."""
        never.wait(20)

    @tool(name="wait")
    async def await_() -> None:
        """Wait."""
        await asyncio.sleep(20)

    service = Service([Calls([("wait", "{}")] * calls), Says("never")])
    began = time.monotonic()
    with pytest.raises(LimitReached):
        world.run(serve(service), Toolset(wait if kind == "sync" else await_), **HERE, limits=Limits(seconds=0.3))
    assert time.monotonic() - began < 5
    assert (service.count("submit"), service.count("cancel")) == (0, 1)
    never.set()


@pytest.mark.parametrize(("limits", "name"), [(Limits(turns=2), "turns"), (Limits(calls=3), "calls")])
def test_limits_in_turns_and_calls(world: World, serve: Serve, tools: Tools, limits: Limits, name: str) -> None:
    service = Service([Calls([DOUBLE]), Calls([DOUBLE, DOUBLE]), Calls([DOUBLE]), Says("never")])
    with pytest.raises(LimitReached, match=name) as reached:
        world.run(serve(service), tools.set, **HERE, limits=limits)
    assert (reached.value.limit, tools.made, service.count("cancel")) == (name, [4, 4, 4], 1)
    assert reached.value.result is not None
    assert reached.value.result.status == "cancelled"


# -- leaving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["", "drip:3", "silent:3"])
@pytest.mark.parametrize("name", ["thread.run.created", "thread.run.in_progress"])
def test_leaving_the_block_cancels_once(world: World, serve: Serve, name: str, fault: str) -> None:
    service = Service([Calls([DOUBLE]), Says("never")], faults={"create": [fault]})
    world.events(serve(service), until=lambda event: isinstance(event, ServerEvent) and event.name == name, **HERE)
    assert service.count("cancel") == 1
    assert service.runs[-1]["status"] == "cancelled"


@pytest.mark.parametrize("kind", [CallStarted, CallFinished])
def test_leaving_between_calls_cancels_once(world: World, serve: Serve, tools: Tools, kind: type) -> None:
    service = Service([Calls([DOUBLE, DOUBLE]), Says("never")])
    world.events(serve(service), tools.set, until=lambda event: isinstance(event, kind), **HERE)
    assert (service.count("cancel"), service.count("submit")) == (1, 0)


def test_an_exception_of_the_app_cancels_and_leaves_as_it_is(world: World, serve: Serve) -> None:
    service = Service([Says("Hello")])

    def fail(event: object) -> bool:
        raise LookupError("the app's own")

    with pytest.raises(LookupError, match="the app's own") as raised:
        world.events(serve(service), until=fail, **HERE)
    assert raised.value.__context__ is None
    assert service.count("cancel") == 1


def test_leaving_at_the_end_cancels_nothing(world: World, serve: Serve) -> None:
    service = Service([Says("Hello")])
    world.events(serve(service), until=lambda event: isinstance(event, RunEnded), **HERE)
    assert service.count("cancel") == 0


def test_a_stream_that_is_never_begun_sends_nothing(serve: Serve) -> None:
    service = Service([Says("Hello")])
    with blocking(serve(service)) as client, stream(client, **HERE) as events:
        pass
    with pytest.raises(RuntimeError, match="no result yet"):
        _ = events.result
    assert service.requests == []


@pytest.mark.parametrize("fault", ["drip:2", "silent:2", "hang-done"])
def test_cancelling_the_task_cancels_the_run(serve: Serve, fault: str) -> None:
    service = Service([Calls([DOUBLE])], faults={"create": [fault]})

    async def main() -> None:
        async with awaiting(serve(service)) as client:
            task = asyncio.create_task(run(client, **HERE))
            while not service.runs:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert service.count("cancel") == 1
    assert service.count("look") == (1 if fault == "hang-done" else 0)  # a run not heard of yet is looked for first


def test_cancelling_the_task_twice_still_cancels_the_run(serve: Serve) -> None:
    service = Service([Says("never")], faults={"create": ["drip:2"]})

    async def main() -> None:
        async with awaiting(serve(service)) as client:
            task = asyncio.create_task(run(client, **HERE))
            while not service.runs:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while not service.count("cancel"):
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 10))
    assert service.count("cancel") == 1


def test_a_time_out_around_the_run(serve: Serve) -> None:
    service = Service([Says("never")], faults={"create": ["drip:2"]})

    async def main() -> None:
        async with awaiting(serve(service)) as client:
            async with asyncio.timeout(0.2):
                await run(client, **HERE)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert service.count("cancel") == 1


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
def test_ctrl_c_cancels_the_run(serve: Serve) -> None:
    service = Service([Says("never")], faults={"create": ["silent:2"]})
    main = threading.get_ident()

    def interrupt() -> None:
        while not service.runs:
            time.sleep(0.01)
        time.sleep(0.1)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with blocking(serve(service)) as client, pytest.raises(KeyboardInterrupt):
        run(client, **HERE)
    assert service.count("cancel") == 1


# -- picking up --------------------------------------------------------------------------------------------------------


def test_a_run_there_is_is_picked_up(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Says("It is 8.")])
    service.start("asst_1")
    result = world.run(serve(service), tools.set, thread_id="thread_1", run_id="run_1")
    assert (result.text, outputs(service), service.count("create")) == ("It is 8.", ["8"], 0)


def test_a_run_picked_up_is_not_cancelled(world: World, serve: Serve, tools: Tools) -> None:
    service = Service([Calls([DOUBLE]), Says("never")], reads_before_done=0)
    service.start("asst_1")
    arguments = {"thread_id": "thread_1", "run_id": "run_1"}
    world.events(serve(service), tools.set, until=lambda event: isinstance(event, CallStarted), **arguments)
    with pytest.raises(LimitReached):
        world.run(serve(service), tools.set, **arguments, limits=Limits(calls=1, turns=1, seconds=1e-9))
    assert service.count("cancel") == 0


def test_a_run_to_pick_up_that_is_not_there(world: World, serve: Serve) -> None:
    with pytest.raises(openai.NotFoundError):
        world.run(serve(Service([])), thread_id="thread_1", run_id="run_9")
