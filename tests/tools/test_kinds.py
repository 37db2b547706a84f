"""What kind of function a tool is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from toolkit.tools.kinds import awaits_binding, innermost, is_async, is_async_generator

Function = Callable[..., object]


def plain(left: int, right: int = 1) -> int:
    return left + right


async def later(left: int) -> int:
    return left


async def words() -> AsyncIterator[str]:
    yield "a"


class Counter:
    def step(self, by: int) -> int:
        return by

    def typed(self: Counter, by: int) -> int:
        return by

    @staticmethod
    def named(*, by: int) -> int:
        return by


class Awaited:
    async def __call__(self) -> int:
        return 1


def test_partials_are_taken_off() -> None:
    assert innermost(partial(partial(plain, 1), 2)) is plain
    assert innermost(plain) is plain


@pytest.mark.parametrize("function", [later, partial(later, 1), Awaited()])
def test_what_is_awaited(function: Function) -> None:
    assert is_async(function)


@pytest.mark.parametrize("function", [plain, partial(plain, 1), Awaited, words, len])
def test_what_is_not(function: Function) -> None:
    assert not is_async(function)


def test_what_gives_one_value_after_another() -> None:
    assert [is_async_generator(each) for each in (words, partial(words), later, plain)] == [True, True, False, False]


def test_only_methods_without_their_instance_wait_for_it() -> None:
    assert awaits_binding(Counter.step)
    forgotten: Function = lambda city: city  # noqa: E731  # pyright: ignore - its type was forgotten
    for each in (Counter().step, Counter.typed, Counter.named, plain, len, partial(plain), forgotten):
        assert not awaits_binding(each)
