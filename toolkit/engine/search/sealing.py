"""Seal a process that is about to read what strangers sent: from then on it computes, and answers, and nothing else.

Linux alone (seccomp-bpf, kernel 3.17 and newer), on x86-64 and arm64. A sealed process has the descriptors it had,
memory up to a limit and the processor for so long; every other call to the kernel fails: opening files, sockets,
programs, processes and threads, signals to others. What it needs must be loaded before.
"""

from __future__ import annotations

from typing import Final

from toolkit.kernel.calls import machine
from toolkit.kernel.seccomp import Pass, install, program

__all__ = ["can_seal", "seal"]

_NEEDED: Final = """
read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn readv writev
sched_yield mremap madvise getpid exit gettimeofday sigaltstack gettid futex clock_gettime exit_group getrandom
restart_syscall
"""


def can_seal() -> bool:
    """Say whether processes can be sealed on this machine."""
    return machine() is not None


def seal(*, memory_bytes: int, cpu_s: int) -> None:
    """Seal this process. Raises OSError when the kernel does not, and then nothing may be read."""
    import resource  # not there on Windows, where nothing is sealed

    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    here = machine()
    assert here is not None
    install(program(here, map(Pass, _NEEDED.split())))
