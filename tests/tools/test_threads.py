"""Threads are used again and keep no program alive; the background loop stays, unless it is blocked."""

import asyncio
import contextvars
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

import pytest

from toolkit.tools import threads
from toolkit.tools.threads import ANSWER_S, BRISK_S, BackgroundLoop, Line, background_loop, start, wait_for


def soon(true: Callable[[], object]) -> bool:
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.002)
    return bool(true())


async def value(of: int) -> int:
    await asyncio.sleep(0)
    return of


def test_a_thread_is_a_daemon_and_is_used_again() -> None:
    seen: list[threading.Thread] = []
    for number in range(3):
        start(lambda: seen.append(threading.current_thread()))
        assert soon(lambda number=number: len(seen) > number)
        time.sleep(0.02)  # it offers itself after its work is done
    assert all(each.daemon for each in seen)
    assert len({each.ident for each in seen}) < 3


def test_a_thread_without_work_ends_unless_somebody_has_just_taken_it() -> None:
    inbox: SimpleQueue[Callable[[], object]] = SimpleQueue()
    did: list[str] = []
    serving = threading.Thread(target=threads._serve, args=(inbox, 0.02), daemon=True)
    serving.start()
    time.sleep(0.06)  # not on the list of the idle: taken, so that it waits on for its work
    inbox.put(lambda: did.append("work"))
    serving.join(10)
    assert not serving.is_alive()
    assert did == ["work"]
    assert inbox not in threads._idle


def test_work_at_the_same_time_has_threads_of_its_own() -> None:
    together = threading.Barrier(6)
    for _ in range(5):
        start(lambda: together.wait(10))
    together.wait(10)


def test_a_line_is_one_thread_and_rings_when_it_is_through() -> None:
    seen: list[tuple[int, int]] = []
    through = threading.Event()

    def work(number: int) -> None:
        seen.append((number, threading.get_ident()))

    line = Line(through.set)
    line.add(partial(work, number) for number in range(5))
    assert through.wait(10)
    assert [number for number, _ in seen] == list(range(5))
    assert len({thread for _, thread in seen}) == 1


def test_what_waits_in_a_line_is_not_held_up_once_it_is_spread() -> None:
    together = threading.Barrier(5)
    line = Line(lambda: None)
    line.add([lambda: together.wait(10)] * 4)
    line.spread()
    together.wait(10)


def test_what_is_dropped_from_a_line_is_not_done() -> None:
    did: list[str] = []
    began, end, through = threading.Event(), threading.Event(), threading.Event()

    def long() -> None:
        began.set()
        end.wait(10)
        did.append("long")

    line = Line(through.set)
    line.add([long, lambda: did.append("dropped")])
    assert began.wait(10)
    line.drop()
    end.set()
    assert through.wait(10)
    assert did == ["long"]


def test_a_line_is_to_be_looked_after_while_something_waits_in_it() -> None:
    began, end = threading.Event(), threading.Event()

    def long() -> None:
        began.set()
        end.wait(10)

    line = Line(lambda: None)
    assert (line.look_s(None), line.look_s(3.0)) == (None, 3.0)
    line.add([long, lambda: None])
    assert began.wait(10)
    assert (line.look_s(None), line.look_s(3.0), line.look_s(0.0)) == (BRISK_S, BRISK_S, 0.0)
    line.spread()
    assert line.look_s(None) is None
    end.set()


@pytest.mark.parametrize("spread", [False, True])
def test_each_work_of_a_line_has_the_makers_context_for_itself(spread: bool) -> None:
    name = contextvars.ContextVar("name", default="nobody")
    seen: SimpleQueue[str] = SimpleQueue()
    name.set("maker")
    line = Line(lambda: None)
    name.set("later")

    def work() -> None:
        seen.put(name.get())
        name.set("another work")

    line.add([work] * 4)
    if spread:
        line.spread()
    assert [seen.get(timeout=10) for _ in range(4)] == ["maker"] * 4


def test_waiting_gives_results_and_exceptions() -> None:
    async def fail() -> int:
        raise KeyError("x")

    assert wait_for(value(3)) == 3
    with pytest.raises(KeyError, match="x"):
        wait_for(fail())


def test_an_exit_comes_to_the_caller_and_the_loop_goes_on() -> None:
    async def leave() -> int:
        raise SystemExit(3)

    before = background_loop()
    with pytest.raises(SystemExit):
        wait_for(leave())
    assert wait_for(value(1)) == 1
    assert background_loop() is before


def test_waiting_on_the_loop_itself_does_not_lock_up() -> None:
    async def outer() -> int:
        return wait_for(value(4))

    assert wait_for(outer()) == 4


def test_an_interrupted_wait_cancels_what_it_waited_for() -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        wait_for(wait())
    assert cancelled.wait(10)


def test_a_blocked_loop_is_replaced() -> None:
    release = threading.Event()

    async def block() -> None:
        release.wait(20)

    blocked = background_loop()
    running = blocked.start(block())
    time.sleep(0.02)
    assert not blocked.is_stuck
    blocked.cancel(running)
    time.sleep(ANSWER_S + 0.05)
    assert blocked.is_stuck
    assert background_loop() is not blocked
    assert wait_for(value(5)) == 5
    release.set()
    assert soon(lambda: not blocked.is_stuck)


def test_a_loop_that_answers_is_kept() -> None:
    async def wait() -> None:
        await asyncio.sleep(30)

    loop = BackgroundLoop()
    loop.cancel(loop.start(wait()))
    time.sleep(ANSWER_S + 0.05)
    assert not loop.is_stuck


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_begins_anew() -> None:
    assert wait_for(value(1)) == 1
    start(lambda: None)
    child = os.fork()
    if child == 0:
        done = threading.Event()
        start(done.set)
        os._exit(0 if wait_for(value(2)) == 2 and done.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
