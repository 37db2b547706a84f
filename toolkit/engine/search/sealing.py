"""Seal a process that is about to read what strangers sent: from then on it computes, and answers, and nothing else.

Linux alone (seccomp-bpf, kernel 3.17 and newer), on x86-64 and arm64. A sealed process has the descriptors it had,
memory up to a limit and the processor for so long; every other call to the kernel fails: opening files, sockets,
programs, processes and threads, signals to others. What it needs must be loaded before.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["can_seal", "seal"]

_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_AT_NUMBER, _AT_ARCH = 0, 4

_NEEDED: Final[Mapping[str, tuple[int, Sequence[int]]]] = {
    # read, write, close, fstat, lseek, mmap, mprotect, munmap, brk, rt_sigaction, rt_sigprocmask, rt_sigreturn, readv,
    # writev, sched_yield, mremap, madvise, getpid, exit, gettimeofday, sigaltstack, gettid, futex, clock_gettime,
    # exit_group, getrandom, restart_syscall
    "x86_64": (
        0xC000003E,
        (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 24, 25, 28, 39, 60, 96, 131, 186, 202, 219, 228, 231, 318),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(57, 62, 63, 64, 65, 66, 80, 93, 94, 98, 113, 124, 128, 132, 134, 135, 139, 169, 172, 178),
            *(214, 215, 216, 222, 226, 233, 278),
        ),
    ),
}
"""Machine -> its number in the kernel's audit, and the numbers of the calls that are let through."""


def can_seal() -> bool:
    """Say whether processes can be sealed on this machine."""
    return sys.platform == "linux" and platform.machine() in _NEEDED


def seal(*, memory_bytes: int, cpu_s: int) -> None:
    """Seal this process. Raises OSError when the kernel does not, and then nothing may be read."""
    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    arch, needed = _NEEDED[platform.machine()]
    program = _program(arch, needed)
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, ctypes.addressof(filter_), 0, 0)):
        if libc.prctl(*(ctypes.c_ulong(value) for value in call)) != 0:
            raise OSError(ctypes.get_errno(), "the process cannot be sealed")


def _program(arch: int, needed: Sequence[int]) -> bytes:
    """Write the filter in BPF: another architecture's calls kill, the needed ones pass, the others fail."""
    steps = [(_LOAD, 0, 0, _AT_ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _AT_NUMBER)]
    for place, number in enumerate(needed):
        steps.append((_EQUAL, len(needed) - place, 0, number))  # to the last step, past the one that refuses
    steps += [(_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
