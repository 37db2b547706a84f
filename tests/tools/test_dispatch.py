"""The calls of a turn: in parallel, in time, each with an answer, whatever tools and models do.

Every test of what the two drivers have in common runs with both.
"""

import asyncio
import contextvars
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import JournalError, Retry, ToolError
from toolkit.tools.batch import MOST_AT_ONCE
from toolkit.tools.calls import Call, FinishedCall
from toolkit.tools.dispatch import adispatch, dispatch
from toolkit.tools.output import NoJsonForm, Output
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset

Run = Callable[..., list[tuple[int, FinishedCall]]]


def blocking(toolset: Toolset, calls: Sequence[Call], **options: Any) -> list[tuple[int, FinishedCall]]:
    return list(dispatch(toolset, calls, **options))


def awaiting(toolset: Toolset, calls: Sequence[Call], **options: Any) -> list[tuple[int, FinishedCall]]:
    async def collect() -> list[tuple[int, FinishedCall]]:
        return [each async for each in adispatch(toolset, calls, **options)]

    return asyncio.run(collect())


@pytest.fixture(params=[blocking, awaiting])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    yield request.param


@tool
def echo(text: str) -> str:
    return text


@tool
async def aecho(text: str) -> str:
    await asyncio.sleep(0)
    return text


@tool
def nap(seconds: float) -> str:
    time.sleep(seconds)
    return f"slept {seconds}"


@tool
async def anap(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return f"slept {seconds}"


@tool
def fail() -> str:
    raise ValueError("the password is hunter2")


@tool
async def afail() -> str:
    raise ValueError("the password is hunter2")


def call(name: str, arguments: str = "{}", id: str = "call_1") -> Call:
    return Call(id, name, arguments)


def outputs(finished: list[tuple[int, FinishedCall]]) -> list[Output]:
    return [each.output for _, each in sorted(finished, key=lambda pair: pair[0])]


def wait_until(true: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    assert true()


@pytest.mark.parametrize("name", ["echo", "aecho"])
def test_one_call(run: Run, name: str) -> None:
    one = call(name, '{"text": "hi"}')
    [(position, finished)] = run(Toolset(echo, aecho), [one])
    assert (position, finished.call, finished.output, finished.error) == (0, one, Output("hi"), None)
    assert 0 < finished.seconds < 5


def test_no_calls(run: Run) -> None:
    assert run(Toolset(echo), []) == []


def test_calls_with_the_same_id_are_all_answered(run: Run) -> None:
    calls = [call("echo", f'{{"text": "{number}"}}', id="same") for number in range(3)]
    assert outputs(run(Toolset(echo), calls)) == [Output("0"), Output("1"), Output("2")]


def test_sync_and_async_run_side_by_side_and_report_as_they_finish(run: Run) -> None:
    begun, may_end = set[int](), threading.Event()

    def hold(number: int) -> str:
        begun.add(number)
        if len(begun) == 8:  # none of them ends before all have begun
            may_end.set()
        assert may_end.wait(20)
        if number == 0:
            time.sleep(0.2)
        return ""

    async def ahold(number: int) -> str:
        begun.add(number)
        if len(begun) == 8:
            may_end.set()
        while not may_end.is_set():
            await asyncio.sleep(0.005)
        return ""

    names = ["hold", "ahold"] * 4
    calls = [call(name, f'{{"number": {number}}}') for number, name in enumerate(names)]
    finished = run(Toolset(hold, ahold), calls)
    assert [position for position, _ in finished][-1] == 0
    assert sorted(position for position, _ in finished) == list(range(8))
    assert {each.output for _, each in finished} == {Output("")}


def test_more_calls_than_run_at_once_all_end(run: Run) -> None:
    calls = [call("echo", f'{{"text": "{number}"}}') for number in range(MOST_AT_ONCE + 5)]
    assert [each.content for each in outputs(run(Toolset(echo), calls))] == [str(n) for n in range(MOST_AT_ONCE + 5)]


def test_calls_that_wait_for_each_other_run_side_by_side(run: Run) -> None:
    together = threading.Barrier(9)

    @tool
    def meet() -> int:
        return together.wait(20)

    @tool
    async def ameet() -> int:
        return await asyncio.to_thread(together.wait, 20)

    calls = [call("echo", '{"text": "first"}'), *[call("meet")] * 8, call("ameet")]
    said = outputs(run(Toolset(echo, meet, ameet), calls))
    assert sorted(each.content for each in said) == [*map(str, range(9)), "first"]


def test_calls_go_on_while_nobody_asks_for_the_next_ending() -> None:
    together = threading.Barrier(4)

    @tool
    def meet() -> int:
        return together.wait(20)

    running = dispatch(Toolset(echo, meet), [call("echo", '{"text": "first"}'), *[call("meet")] * 3])
    assert next(running)[1].output == Output("first")
    together.wait(20)
    assert len(list(running)) == 3


def test_what_a_model_gets_wrong_is_told_and_disturbs_nothing(run: Run) -> None:
    calls = [
        call("echo", '{"text": "hi"}'),
        call("ehco", '{"text": "hi"}'),
        call("echo", '{"text": '),
        call("echo", '{"txet": "hi"}'),
        call("aecho", '{"text": "ho"}'),
    ]
    said = outputs(run(Toolset(echo, aecho), calls))
    assert [each.ok for each in said] == [True, False, False, False, True]
    assert said[1].content == "There is no tool 'ehco'. The tools are: echo, aecho."
    assert "JSON" in said[2].content
    assert "text" in said[3].content
    assert said[4] == Output("ho")


@pytest.mark.parametrize("name", ["nope", "\ud800", "x" * 10_000_000, ""])
def test_a_name_made_up_is_shown_shortened(run: Run, name: str) -> None:
    [(_, finished)] = run(Toolset(echo), [call(name)])
    assert finished.output.content.encode().endswith(b"The tools are: echo.")
    assert len(finished.output.content) < 150
    assert isinstance(finished.error, ToolError)


@pytest.mark.parametrize("name", ["fail", "afail"])
def test_what_an_exception_says_is_for_the_app(run: Run, name: str, caplog: pytest.LogCaptureFixture) -> None:
    calls = [call(name, id="call_7"), call("echo", '{"text": "the argument"}')]
    finished = dict(run(Toolset(fail, afail, echo), calls, run_id="run_1", thread_id="thread_1"))
    assert finished[0].output == Output(f"The tool {name} failed.", ok=False)
    assert str(finished[0].error) == "the password is hunter2"
    assert finished[1].output == Output("the argument")
    [record] = [each for each in caplog.records if each.name == "toolkit.tools"]
    assert record.levelno == logging.WARNING
    assert all(each in record.getMessage() for each in (name, "call_7", "run_1", "thread_1"))
    assert record.exc_info is not None
    assert "the argument" not in caplog.text


def test_arguments_are_not_logged(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "toolkit.tools")
    run(Toolset(echo), [call("echo", '{"text": 4111111111111111}')])
    assert "toolkit.tools" in [each.name for each in caplog.records]
    assert "4111" not in "".join(each.getMessage() + str(each.exc_text) for each in caplog.records)


def test_a_tool_may_speak_to_the_model(run: Run) -> None:
    @tool
    def refuse() -> str:
        raise ToolError("The account is closed.")

    [(_, finished)] = run(Toolset(refuse), [call("refuse")])
    assert finished.output == Output("The account is closed.", ok=False)
    assert isinstance(finished.error, ToolError)


def test_retry_asks_again_while_the_budget_lasts(run: Run) -> None:
    @tool
    def look_up() -> str:
        raise Retry("Say which table.")

    [(_, first)] = run(Toolset(look_up), [call("look_up")], retries_left={"look_up": 1})
    assert first.asked_again
    assert first.output == Output("Say which table.\nCall it again.", ok=False)
    [(_, last)] = run(Toolset(look_up), [call("look_up")], retries_left={"look_up": 0})
    assert last.output.content == "Say which table.\nThere are no more tries for look_up: go on without it."
    [(_, none)] = run(Toolset(look_up), [call("look_up")])
    assert none.output == last.output


def test_a_result_without_text_is_a_failure_that_says_the_tool_ran(run: Run) -> None:
    @tool
    def connect() -> object:
        return object()

    [(_, finished)] = run(Toolset(connect), [call("connect")])
    assert finished.output == Output("The tool connect ran, but what it returned cannot be shown as text.", ok=False)
    assert isinstance(finished.error, NoJsonForm)
    assert "object" in str(finished.error)


def test_outputs_and_errors_keep_the_cap(run: Run) -> None:
    @tool
    def shout() -> str:
        raise ToolError("é" * 5000)

    said = outputs(run(Toolset(shout, echo, max_output_bytes=300), [call("shout"), call("echo", '{"text": "y"}')]))
    assert len(said[0].content.encode()) <= 300
    assert not said[0].ok
    assert "[Cut" in said[0].content


@pytest.mark.parametrize("sync", [True, False])
def test_a_timeout_holds_and_the_late_result_is_dropped(run: Run, sync: bool, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()

    def slow() -> str:
        time.sleep(0.25)
        done.set()
        return "late"

    async def aslow() -> str:
        try:
            await asyncio.sleep(30)
        finally:
            done.set()
        return "late"

    toolset = Toolset(tool(name="slow", timeout_s=0.05)(slow if sync else aslow), echo)
    finished = run(toolset, [call("slow"), call("echo", '{"text": "hi"}')])
    assert [position for position, _ in finished] == [1, 0]
    late = finished[1][1]
    assert late.output.content.startswith("The tool slow gave no result within 0.05 s. It may still have taken effect")
    assert not late.output.ok
    assert isinstance(late.error, TimeoutError)
    assert finished[0][1].output == Output("hi")
    wait_until(done.is_set)
    if sync:
        wait_until(lambda: "too late: its result is dropped" in caplog.text)


def test_a_timeout_of_a_single_call_holds(run: Run) -> None:
    began = time.perf_counter()
    [(_, finished)] = run(Toolset(tool(timeout_s=0.05)(anap.function)), [call("anap", '{"seconds": 30}')])
    assert isinstance(finished.error, TimeoutError)
    assert time.perf_counter() - began < 5


def test_a_timeout_that_is_the_tools_own_is_a_plain_failure(run: Run) -> None:
    @tool(timeout_s=5)
    def fetch() -> str:
        raise TimeoutError("10.0.0.7 did not answer")

    assert outputs(run(Toolset(fetch), [call("fetch")])) == [Output("The tool fetch failed.", ok=False)]


def test_the_turn_may_have_a_limit_of_its_own(run: Run) -> None:
    calls = [call("anap", '{"seconds": 30}'), call("echo", '{"text": "hi"}')]
    said = outputs(run(Toolset(anap, echo), calls, timeout_s=0.2))
    assert "gave no result within 0." in said[0].content
    assert said[1] == Output("hi")
    [over] = outputs(run(Toolset(echo), [call("echo", '{"text": "hi"}')], timeout_s=0))
    assert over.content == "The tool echo was not started: the time for this turn is over."


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
def test_a_tool_that_raises_what_would_end_us_has_failed(run: Run, error: type[BaseException]) -> None:
    @tool
    async def give_in() -> str:
        raise error

    @tool
    def sync_give_in() -> str:
        raise error

    @tool
    async def give_in_later() -> str:
        await asyncio.sleep(0)
        raise error

    tools = Toolset(give_in, sync_give_in, give_in_later, echo)
    calls = [call("give_in"), call("sync_give_in"), call("give_in_later"), call("echo", '{"text": "hi"}')]
    assert [each.ok for each in outputs(run(tools, calls))] == [False, False, False, True]
    for one in calls[:3]:
        assert [each.ok for each in outputs(run(tools, [one]))] == [False]


def test_other_strange_exceptions_are_failures(run: Run) -> None:
    class Panic(BaseException):
        pass

    @tool
    def panic() -> str:
        raise Panic

    @tool
    def stop() -> str:
        raise StopIteration

    said = outputs(run(Toolset(panic, stop), [call("panic"), call("stop")]))
    assert said == [Output("The tool panic failed.", ok=False), Output("The tool stop failed.", ok=False)]


@pytest.mark.parametrize("beside", [[], [call("anap", '{"seconds": 30}')]])
def test_what_ends_the_program_passes_through(run: Run, beside: list[Call]) -> None:
    @tool
    def leave() -> str:
        sys.exit(3)

    with pytest.raises(SystemExit):
        run(Toolset(leave, anap), [call("leave"), *beside])


def test_an_interrupt_in_an_async_tool_does_not_end_the_loop_behind_blocking_calls() -> None:
    @tool
    async def interrupt() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blocking(Toolset(interrupt), [call("interrupt")])
    assert outputs(blocking(Toolset(aecho), [call("aecho", '{"text": "hi"}')])) == [Output("hi")]


def test_tools_see_the_callers_context_variables(run: Run) -> None:
    user: contextvars.ContextVar[str] = contextvars.ContextVar("user")

    @tool
    def who() -> str:
        return user.get()

    @tool
    async def awho() -> str:
        return user.get()

    user.set("Ada")
    assert outputs(run(Toolset(who, awho), [call("who"), call("awho"), call("who")])) == [Output("Ada")] * 3
    assert outputs(run(Toolset(who, awho), [call("awho")])) == [Output("Ada")]


def test_a_sync_wrapper_of_an_async_function_is_awaited(run: Run) -> None:
    def traced(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @tool
    @traced
    async def hello(text: str) -> str:
        await asyncio.sleep(0)
        return text

    one = call("hello", '{"text": "hi"}')
    assert outputs(run(Toolset(hello), [one, one])) == [Output("hi")] * 2
    assert outputs(run(Toolset(hello), [one])) == [Output("hi")]


def test_a_single_blocking_call_runs_in_the_callers_thread() -> None:
    @tool
    def where() -> int:
        return threading.get_ident()

    assert outputs(blocking(Toolset(where), [call("where")])) == [Output(str(threading.get_ident()))]
    assert outputs(awaiting(Toolset(where), [call("where")])) != [Output(str(threading.get_ident()))]


def test_async_tools_of_blocking_turns_share_one_loop() -> None:
    @tool
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    first, second = (outputs(blocking(Toolset(loop), [call("loop")] * 2)) for _ in range(2))
    assert len({each.content for each in (*first, *second)}) == 1


def test_a_tool_that_blocks_the_loop_is_left_behind() -> None:
    release = threading.Event()

    @tool(timeout_s=0.1)
    async def block() -> str:
        release.wait(20)  # no await: nothing can cancel this
        return "late"

    [(_, finished)] = blocking(Toolset(block), [call("block")])
    assert isinstance(finished.error, TimeoutError)
    time.sleep(0.1)
    assert outputs(blocking(Toolset(aecho), [call("aecho", '{"text": "hi"}')])) == [Output("hi")]
    release.set()


def test_closing_a_blocking_turn_cancels_async_tools() -> None:
    begun, cancelled = threading.Event(), threading.Event()

    @tool
    async def wait() -> str:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return ""

    @tool
    def see_it_begin() -> bool:
        return begun.wait(20)

    turn = dispatch(Toolset(wait, see_it_begin), [call("wait"), call("see_it_begin")])
    assert next(turn)[0] == 1
    turn.close()
    wait_until(cancelled.is_set)


@pytest.mark.parametrize("beside", [[], [call("echo", '{"text": "hi"}')]])
def test_cancelling_an_awaiting_turn_cancels_async_tools_and_waits_for_their_end(beside: list[Call]) -> None:
    ended: list[str] = []

    @tool
    async def wait() -> str:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")
        return ""

    async def main() -> None:
        async def consume() -> None:
            async for _ in adispatch(Toolset(wait, echo), [call("wait"), *beside]):
                pass

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["cleaned up"]

    asyncio.run(main())


def test_closing_an_awaiting_turn_cancels_async_tools() -> None:
    ended: list[str] = []

    @tool
    async def wait() -> str:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("cleaned up")
        return ""

    async def main() -> None:
        turn = adispatch(Toolset(wait, echo), [call("wait"), call("echo", '{"text": "hi"}')])
        assert (await anext(turn))[0] == 1
        await turn.aclose()
        assert ended == ["cleaned up"]

    asyncio.run(main())


def test_async_tools_begin_before_what_has_ended_is_told() -> None:
    begun: list[str] = []

    @tool
    async def wait() -> str:
        begun.append("wait")
        await asyncio.sleep(30)
        return ""

    def slowly(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        time.sleep(0.05)  # in which the other call ends
        return asyncio.Task(coroutine, loop=loop, **options)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(slowly)
        turn = adispatch(Toolset(wait, echo), [call("echo", '{"text": "hi"}'), call("wait")])
        assert (await anext(turn))[0] == 0
        assert begun == ["wait"]
        await turn.aclose()

    asyncio.run(main())


def test_a_sync_tool_does_not_block_the_loop() -> None:
    beaten = threading.Event()

    def wait_for_the_loop() -> bool:
        return beaten.wait(20)

    async def main() -> None:
        async def beat() -> None:
            for _ in range(3):
                await asyncio.sleep(0.01)
            beaten.set()

        heart = asyncio.create_task(beat())
        finished = [each async for each in adispatch(Toolset(wait_for_the_loop), [call("wait_for_the_loop")])]
        await heart
        assert [each.output.content for _, each in finished] == ["true"]

    asyncio.run(main())


def test_a_stuck_tool_does_not_keep_the_program_alive() -> None:
    program = """
import time
from toolkit.tools.calls import Call
from toolkit.tools.dispatch import dispatch
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset

@tool(timeout_s=0.05)
def stuck() -> str:
    time.sleep(60)
    return ""

for _, finished in dispatch(Toolset(stuck), [Call("call_1", "stuck", "{}")]):
    print(type(finished.error).__name__)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True, cwd=root
    )
    assert done.stdout == "TimeoutError\n"


class Heard:
    """A listener that notes what it hears, and where."""

    def __init__(self, refuses: str = "") -> None:
        self.log: list[tuple[str, str]] = []
        self.threads: set[int] = set()
        self._refuses = refuses

    def started(self, call: Call) -> None:
        if call.id == self._refuses:
            raise JournalError("full")
        self.log.append(("started", call.id))
        self.threads.add(threading.get_ident())

    def finished(self, finished: FinishedCall) -> None:
        self.log.append((finished.output.content, finished.call.id))


def test_a_listener_hears_of_each_call_before_and_behind_it(run: Run) -> None:
    heard = Heard()
    calls = [Call(f"call_{kind}", kind, '{"text": "hi"}') for kind in ("echo", "aecho")]
    run(Toolset(echo, aecho), [*calls, Call("call_x", "nobody", "{}")], listener=heard)
    assert sorted(heard.log) == sorted([("started", call.id) for call in calls] + [("hi", call.id) for call in calls])
    for call in calls:
        assert heard.log.index(("started", call.id)) < heard.log.index(("hi", call.id))
    assert run is blocking or threading.get_ident() not in heard.threads, "a listener may block"


@pytest.mark.parametrize("kind", ["echo", "aecho"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_call_that_could_not_be_told_of_is_not_made(run: Run, kind: str, more: int) -> None:
    heard = Heard(refuses="call_0")
    calls = [Call(f"call_{number}", kind, '{"text": "hi"}') for number in range(1 + more)]
    with pytest.raises(JournalError, match="full"):
        run(Toolset(echo, aecho), calls, listener=heard)
    assert ("hi", "call_0") not in heard.log


def test_a_listener_hears_what_comes_too_late_for_everybody_else(run: Run) -> None:
    heard = Heard()
    [(_, finished)] = run(Toolset(nap), [Call("call_1", "nap", '{"seconds": 0.4}')], timeout_s=0.05, listener=heard)
    assert "no result" in finished.output.content
    assert heard.log == [("started", "call_1")]
    deadline = time.monotonic() + 10
    while len(heard.log) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert heard.log[1][1] == "call_1"
    assert heard.log[1][0] != finished.output.content
