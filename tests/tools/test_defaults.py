"""A toolset's own options hold where a tool, or a toolset inside, says nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from toolkit.errors import DefinitionError, ToolError
from toolkit.tools.calls import Call
from toolkit.tools.defaults import Defaults
from toolkit.tools.dispatch import dispatch
from toolkit.tools.output import MAX_OUTPUT_BYTES
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


@tool
def plain(size: int) -> str:
    return "x" * size


@tool(strict=True, timeout_s=7)
def outspoken(size: int) -> str:
    return "x" * size


@tool
def loose(labels: dict[str, Any]) -> str:
    return str(labels)


def test_what_a_tool_does_not_say_its_toolset_says() -> None:
    tools = Toolset(plain, outspoken, timeout_s=3, strict=False)
    assert [(each.timeout_s, each.strict) for each in tools.values()] == [(3, False), (7, True)]
    assert tools["plain"].definition["function"]["strict"] is False
    assert (plain.timeout_s, plain.strict) == (None, True)


def test_what_an_inner_toolset_has_said_stays_said() -> None:
    inner = Toolset(plain, timeout_s=3, strict=False, concurrency=1, max_output_bytes=300)
    outer = Toolset(*inner.values(), outspoken, timeout_s=9, strict=True, concurrency=5, max_output_bytes=400)
    first, second = outer.values()
    assert first is inner["plain"]
    assert (second.timeout_s, second.strict, second.terms.max_output_bytes) == (7, True, 400)
    assert first.terms.lane is not second.terms.lane


def test_a_tool_that_lacks_nothing_is_itself() -> None:
    assert Defaults(None, None, None, None).applied(plain) is plain
    assert Defaults(3, True, None, None).applied(outspoken) is outspoken


def test_strict_for_a_tool_that_cannot_be_is_said_at_once() -> None:
    with pytest.raises(DefinitionError, match=r"loose cannot be strict: .*labels"):
        Toolset(plain, loose, strict=True)


def test_each_keeps_its_cap_when_toolsets_are_joined() -> None:
    small = Toolset(plain, max_output_bytes=256).prefixed("small_")
    tools = small + Toolset(plain, max_output_bytes=300).prefixed("large_") + Toolset(plain)
    calls = [Call(name, name, '{"size": 1000}') for name in tools]
    sizes = [len(done.output.content) for _, done in sorted(dispatch(tools, calls), key=lambda pair: pair[0])]
    assert sizes[0] <= 256 < sizes[1] <= 300
    assert sizes[2] == 1000
    assert len(small["small_plain"].call('{"size": 1000}').content) <= 256
    assert plain.terms.max_output_bytes == MAX_OUTPUT_BYTES


def test_what_a_tool_says_when_it_fails_is_cut_as_well() -> None:
    @tool
    def wordy() -> str:
        raise ToolError("no " * 1000)

    tools = Toolset(wordy, max_output_bytes=256)
    [(_, done)] = dispatch(tools, [Call("call_1", "wordy", "{}")])
    assert len(done.output.content) <= 256
    assert len(tools["wordy"].call("{}").content) <= 256


def test_calls_of_one_toolset_wait_for_each_other() -> None:
    running: list[str] = []
    seen: list[tuple[str, ...]] = []

    @tool
    def work(name: str) -> str:
        running.append(name)
        seen.append(tuple(running))
        time.sleep(0.02)
        running.remove(name)
        return name

    tools = Toolset(work, concurrency=1)
    calls = [Call(f"call_{name}", "work", f'{{"name": "{name}"}}') for name in "abcd"]
    assert [done.output.content for _, done in dispatch(tools, calls)] == ["a", "b", "c", "d"]
    assert seen == [("a",), ("b",), ("c",), ("d",)]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"timeout_s": 0}, "Toolset: timeout_s=0 must be more than 0 seconds"),
        ({"concurrency": 0}, "concurrency=0: give a number from 1 on"),
        ({"concurrency": 1.5}, "concurrency=1.5: give a number from 1 on"),
        ({"max_output_bytes": 10}, "max_output_bytes=10: give a number from 256 on"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        Toolset(plain, **options)
