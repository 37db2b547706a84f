"""Sessions for tests: one loop that they live on, behind each wall that stands here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import pytest

from toolkit.errors import SandboxUnavailable
from toolkit.kernel.calls import machine
from toolkit.sandbox.bubblewrap import Bubblewrap, bwrap
from toolkit.sandbox.layers import Layered
from toolkit.sandbox.namespaces import Namespaces
from toolkit.sandbox.packages import parts
from toolkit.sandbox.root import Root, root
from toolkit.sandbox.sandbox import Limits, Output, Result, Session, Text
from toolkit.sandbox.session import WalledSession
from toolkit.sandbox.walls import Walled, walls

T = TypeVar("T")

LIMITS = Limits()


@cache
def bare() -> Root:
    """What sessions see that can import no packages."""
    return root(())


@cache
def sandboxes() -> Sequence[Walled]:
    """Every sandbox that works here: each wall, with users of their own and without."""
    if machine() is None:
        return ()
    found = [Walled(wall, bare(), own_uid=own) for wall, own in walls()]
    if any(each.own_uid for each in found):  # as root we can see how it is for those who are not
        found += [Walled(Namespaces(own_uid=False), bare(), own_uid=False)]
        if (program := bwrap()) is not None:
            found += [Walled(Bubblewrap(program, own_uid=False), bare(), own_uid=False)]
    return [sandbox for sandbox in found if works(sandbox)]


def works(sandbox: Walled) -> bool:
    async def main() -> None:
        await (await sandbox.open(LIMITS)).aclose()

    try:
        asyncio.run(main())
    except SandboxUnavailable:
        return False
    return True


def label(sandbox: Walled) -> str:
    return f"{sandbox.wall.name}-{'own' if sandbox.own_uid else 'mapped'}"


every_wall = pytest.mark.parametrize("sandbox", sandboxes(), ids=label)
each_kind = pytest.mark.parametrize(
    "sandbox", list({each.wall.name: each for each in sandboxes()[::-1]}.values()), ids=label
)
"""The strongest of each kind: for what takes long and does not depend on the user."""
needs_wall = pytest.mark.skipif(not sandboxes(), reason="no wall can be put up here")


def strongest() -> Walled:
    """The sandbox that an engine would take."""
    return sandboxes()[0]


class Desk:
    """A session that is spoken to from code that does not wait."""

    def __init__(self, runner: asyncio.Runner, sandbox: Layered, session: WalledSession) -> None:
        self.session, self.own_uid, self._runner = session, sandbox.own_uid, runner

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def run(self, code: str, limits: Limits = LIMITS) -> list[Output]:
        return self.do(outputs(self.session, code, limits))

    def said(self, code: str, limits: Limits = LIMITS) -> str:
        """Run code, and give what it printed and what it was worth."""
        return said(self.run(code, limits))


@contextmanager
def opened(sandbox: Layered | None = None, limits: Limits = LIMITS) -> Iterator[Desk]:
    """Open a session for some time."""
    with asyncio.Runner() as runner:
        sandbox = sandbox or strongest()
        session = runner.run(sandbox.open(limits))
        try:
            yield Desk(runner, sandbox, session)
        finally:
            runner.run(session.aclose())


async def outputs(session: Session, code: str, limits: Limits = LIMITS) -> list[Output]:
    """Run code, with what is printed in one piece wherever nothing came between."""
    found: list[Output] = []
    async for each in session.execute(code, limits):
        if isinstance(each, Text) and found and isinstance(found[-1], Text):
            each = Text(found.pop().text + each.text)  # type: ignore[union-attr]
        found.append(each)
    return found


def said(found: Sequence[Output]) -> str:
    return "".join(each.text for each in found if isinstance(each, Text | Result))


@cache
def with_packages(*names: str) -> Walled:
    """A sandbox whose sessions can import some packages."""
    return Walled(strongest().wall, root(parts(names)), own_uid=strongest().own_uid)
