"""Calls by name and by number."""

from __future__ import annotations

import ctypes
import errno
import os

import pytest

from toolkit.kernel.calls import call, machine, syscall

pytestmark = pytest.mark.skipif(machine() is None, reason="Linux alone")


def test_numbers_are_those_of_this_machine() -> None:
    assert syscall("getpid") == os.getpid()
    assert syscall("getppid") == os.getppid()
    assert syscall("getuid") == os.getuid()


def test_what_fails_raises_and_says_what_failed() -> None:
    with pytest.raises(OSError, match="chdir: No such file") as caught:
        call("chdir", ctypes.c_char_p(b"/nowhere/at/all"))
    assert caught.value.errno == errno.ENOENT
    with pytest.raises(OSError, match="Bad file descriptor"):
        syscall("close", 9999)


def test_every_call_of_one_machine_is_no_other_call_there() -> None:
    here = machine()
    assert here is not None
    assert len(set(here.numbers.values())) == len(here.numbers) > 150
