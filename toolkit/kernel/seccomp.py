"""Filters on the calls that a process may make to the kernel (seccomp-bpf), from that moment on and for good.

A filter is a list of what passes; whatever it does not name fails. It is kept when the process starts others.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from toolkit.kernel.calls import Machine, call

__all__ = ["Pass", "Refuse", "Rule", "install", "program"]

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _ANY_BIT, _MASK, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENTS = 0, 4, 16

_Step = tuple[int, int, int, int]


class Pass(NamedTuple):
    """A call that passes; with `values`, when its argument is one of those; with `never`, when it has no such bit.

    With `not_both`, when it has not all of these bits.
    """

    name: str
    argument: int = 0
    values: Collection[int] = ()
    never: int = 0
    not_both: int = 0


class Refuse(NamedTuple):
    """A call that fails in another way than all that are not named, which are not permitted (EPERM)."""

    name: str
    error: int = errno.ENOSYS


Rule = Pass | Refuse


def program(machine: Machine, rules: Iterable[Rule]) -> bytes:
    """Write a filter: another machine's calls kill, the rules are tried in order, everything else fails with EPERM.

    Rules about calls that this machine does not have are left out.
    """
    steps: list[_Step] = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for rule in rules:
        if rule.name in machine.numbers:
            answer = list(_answer(rule))
            steps += [(_EQUAL, 0, len(answer), machine.numbers[rule.name]), *answer]
    steps.append((_RETURN, 0, 0, _FAIL | errno.EPERM))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _answer(rule: Rule) -> Iterator[_Step]:
    """Write what follows when the number is the rule's: it always ends in an answer."""
    if isinstance(rule, Refuse):
        yield (_RETURN, 0, 0, _FAIL | rule.error)
        return
    checks: Sequence[_Step] = [(_EQUAL, 0, 1, value) for value in rule.values]
    if checks or rule.never or rule.not_both:
        yield (_LOAD, 0, 0, _AT_ARGUMENTS + 8 * rule.argument)  # the low half, on the machines we know
        if rule.not_both:
            yield (_MASK, 0, 0, rule.not_both)
            yield (_EQUAL, 1, 0, rule.not_both)
            yield (_RETURN, 0, 0, _ALLOW)
        for check in checks or ([(_ANY_BIT, 1, 0, rule.never)] if rule.never else []):
            yield check
            yield (_RETURN, 0, 0, _ALLOW)
        yield (_RETURN, 0, 0, _FAIL | errno.EPERM)
    else:
        yield (_RETURN, 0, 0, _ALLOW)


def install(filter_: bytes) -> None:
    """Put this process, and all that it will start, under a filter. Raises OSError when the kernel does not."""
    code = ctypes.create_string_buffer(filter_, len(filter_))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(filter_) // _STEP_BYTES, ctypes.addressof(code)))
    for arguments in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, ctypes.addressof(header), 0, 0)):
        call("prctl", *map(ctypes.c_ulong, arguments))


_STEP_BYTES: Final = 8
