"""What filters let through, tried in forks that are under them."""

from __future__ import annotations

import errno
import faulthandler
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from toolkit.kernel.calls import Machine, machine
from toolkit.kernel.seccomp import Pass, Refuse, Rule, install, program

HERE = machine()

pytestmark = pytest.mark.skipif(HERE is None, reason="there are filters on Linux alone")

NEEDED: Sequence[Rule] = [
    Pass(name) for name in "write exit_group munmap mmap mprotect madvise mremap brk close futex".split()
]


def under(rules: Sequence[Rule], work: Callable[[], object]) -> int:
    """Do something in a fork under a filter; gives the error it got, 0 without one."""
    assert HERE is not None
    pid = os.fork()
    if pid == 0:
        faulthandler.disable()  # it would try to end the process for ever, with calls that the filter refuses
        code = 99
        try:
            install(program(HERE, [*NEEDED, *rules]))
            work()
            code = 0
        except OSError as error:
            code = error.errno or 98
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_what_is_named_passes_and_the_rest_fails() -> None:
    assert under([Pass("getpid")], os.getpid) == 0
    assert under([], lambda: os.kill(os.getpid(), 0)) == errno.EPERM
    assert under([Pass("kill"), Pass("getpid")], lambda: os.kill(os.getpid(), 0)) == 0


def test_a_call_may_fail_in_a_way_of_its_own() -> None:
    assert under([Refuse("kill", errno.ENOSYS), Pass("getpid")], lambda: os.kill(os.getpid(), 0)) == errno.ENOSYS


def test_an_argument_may_have_some_values_alone() -> None:
    rules = [Pass("socketpair", 0, values=(socket.AF_UNIX,)), Pass("fcntl"), Pass("fstat"), Pass("getsockname")]
    assert under(rules, lambda: socket.socketpair(socket.AF_UNIX)[0].fileno()) == 0
    assert under(rules, lambda: socket.socketpair(socket.AF_INET)) == errno.EPERM


def test_an_argument_may_not_have_some_bits() -> None:
    rules = [Pass("socketpair", 1, never=socket.SOCK_CLOEXEC), Pass("getsockname"), Pass("fcntl"), Pass("ioctl")]
    assert under(rules, lambda: socket.socketpair(socket.AF_UNIX)) == errno.EPERM  # Python sets it
    assert under([Pass("socketpair", 1, never=1 << 30)], lambda: socket.socketpair(socket.AF_UNIX)) == 0


def test_an_argument_may_not_have_some_bits_together() -> None:
    both = socket.SOCK_STREAM | socket.SOCK_CLOEXEC
    rules = [Pass("socketpair", 1, not_both=both), Pass("getsockname"), Pass("fcntl"), Pass("ioctl")]
    assert under(rules, lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)) == errno.EPERM
    assert under(rules, lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)) == 0  # one of them alone


STARTING = """
import os
from toolkit.kernel.calls import machine
from toolkit.kernel.seccomp import Pass, install, program
install(program(machine(), map(Pass, {names!r}.split())))
os.execv("/bin/true", ["true"])
"""


def test_it_holds_for_programs_that_are_started() -> None:
    loading = (
        "openat open newfstatat fstat stat read pread64 close access arch_prctl set_tid_address set_robust_list rseq"
    )
    names = "execve write exit_group munmap mmap brk mprotect prlimit64 getrandom rt_sigaction rt_sigreturn futex uname"
    ends: list[int] = []
    for passes in (f"{names} {loading}", names):
        command = [sys.executable, "-c", STARTING.format(names=passes)]
        ends.append(subprocess.run(command, capture_output=True, timeout=60).returncode)
    assert ends[0] == 0
    assert ends[1] != 0  # it could not load its libraries


def test_a_filter_tells_machines_apart() -> None:
    there = Machine(0xC00000B7 if platform.machine() == "x86_64" else 0xC000003E, {"write": 1})
    words = struct.iter_unpack("HBBI", program(there, [Pass("write"), Pass("no_such_call")]))
    assert [word[3] for word in words] == [4, there.audit, 0x80000000, 0, 1, 0x7FFF0000, 0x00050000 | errno.EPERM]
