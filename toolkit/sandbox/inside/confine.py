"""The inner layers of the wall, put up by the process itself before it sees any strange code.

Mounts and namespaces are there already. Here it becomes a user of its own, gets its limits, and asks the kernel for
Landlock and a filter; none of it can be taken back.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Mapping, Sequence
from typing import Any, Final

from toolkit.kernel.calls import machine
from toolkit.kernel.landlock import restrict
from toolkit.kernel.privileges import become, bound_capabilities, drop_capabilities, forget_keys, gain_no_privileges
from toolkit.kernel.seccomp import Pass, Refuse, Rule, install, program

__all__ = ["RULES", "bound", "confine"]

_WRITABLE: Final = ("/mnt/data", "/tmp", "/dev/shm", "/dev/null")  # noqa: S108 - the sandbox's own

_NICE: Final = 5
"""How far code gives way to the engine when both want a processor."""

_FREELY: Final = """
read write close fstat stat lstat poll lseek mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn pread64
pwrite64 readv writev preadv pwritev preadv2 pwritev2 access faccessat faccessat2 pipe pipe2 select pselect6 ppoll
sched_yield mremap msync mincore madvise mlock mlock2 munlock dup dup2 dup3 pause nanosleep clock_nanosleep getitimer
setitimer alarm getpid gettid getppid sendfile sendto recvfrom sendmsg recvmsg shutdown getsockname getpeername
getsockopt fork vfork execve exit exit_group wait4 waitid kill tkill tgkill rt_sigpending rt_sigtimedwait
rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend sigaltstack uname fsync fdatasync truncate ftruncate
getdents64 getcwd chdir fchdir rename renameat renameat2 mkdir mkdirat rmdir creat link linkat unlink unlinkat symlink
symlinkat readlink readlinkat chmod fchmod fchmodat fchmodat2 umask gettimeofday time times getrlimit setrlimit
prlimit64 getrusage sysinfo getuid getgid geteuid getegid getresuid getresgid getgroups setpgid getpgid getpgrp setsid
getsid capget statfs fstatfs getpriority setpriority sched_setaffinity sched_getaffinity sched_getparam
sched_getscheduler sched_get_priority_max sched_get_priority_min sched_getattr arch_prctl futex futex_waitv
set_tid_address set_robust_list get_robust_list restart_syscall fadvise64 readahead clock_gettime clock_getres
timer_create timer_settime timer_gettime timer_getoverrun timer_delete epoll_create epoll_create1 epoll_ctl epoll_wait
epoll_pwait epoll_pwait2 eventfd eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 utime
utimes utimensat futimesat open openat openat2 newfstatat statx sync_file_range fallocate getxattr lgetxattr fgetxattr
listxattr llistxattr flistxattr copy_file_range getrandom membarrier rseq pidfd_open pidfd_send_signal close_range
getcpu
"""
"""Files, memory, time, processes and threads, signals: what Python and its packages compute with."""

_NAMESPACES: Final = 0x7E020000
"""The flags of clone that make namespaces."""
_UNIX: Final = 1
_TERMINALS: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what is asked of any file; none reaches a device."""
_ABOUT_ITSELF: Final = (1, 2, 3, 15, 16, 21, 23, 39)
"""prctl: the signal at the parent's death, dumpable, the name; to read seccomp, capabilities, no_new_privs."""

_SHARED_AND_OF_NO_FILE: Final = 0x01 | 0x20
"""The flags of mmap for memory that can be let go of without being given back: nobody would see who has it."""
_OF_A_FILE: Final = (*range(12), 36, 37, 38, 1030, 1032, 1034)
"""fcntl: copies and flags of descriptors, owners and locks. Neither leases nor notices, which reach the machine's
own files, nor larger pipes."""

RULES: Final[Sequence[Rule]] = (
    *map(Pass, _FREELY.split()),
    Pass("clone", 0, never=_NAMESPACES),
    Refuse("clone3"),  # its flags are in memory, where no filter sees them; without it, clone is tried
    Pass("mmap", 3, not_both=_SHARED_AND_OF_NO_FILE),
    Pass("fcntl", 1, values=_OF_A_FILE),
    Refuse("flock", errno.ENOLCK),  # it would lock what is read-only, and sessions have in common
    Pass("socketpair", 0, values=(_UNIX,)),
    Pass("ioctl", 1, values=_TERMINALS),
    Pass("prctl", 0, values=_ABOUT_ITSELF),
)
"""What passes. `socket` is not there, for no family; nor are mounts, keys, tracing, modules, io_uring."""


def confine(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the layers up; gives what is there of those that kernels may lack. Raises OSError, and then nothing may run.

    `said` has the limits (`memory_bytes`, `cpu_s`, `processes`, `open_files`, `file_bytes`), and the `uid` to become
    where the wall outside left us the right to.
    """
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # rather this process than the engine
    os.nice(_NICE)
    forget_keys()
    bound_capabilities()
    if said.get("uid"):
        become(said["uid"])
    drop_capabilities()
    bound(said)
    gain_no_privileges()
    version = restrict(read=("/",), write=_WRITABLE)
    here = machine()
    assert here is not None
    install(program(here, RULES))
    return {"landlock": version}


def bound(said: Mapping[str, Any]) -> None:
    """Set the limits that each process has for itself; those that are None stay as they are. Raises OSError."""
    for name, most in (
        ("AS", said["memory_bytes"]),
        ("CPU", said["cpu_s"]),
        ("NPROC", said["processes"]),
        ("NOFILE", said["open_files"]),
        ("FSIZE", said["file_bytes"]),
        ("CORE", 0),
        ("MEMLOCK", 0),
        ("MSGQUEUE", 0),
        ("SIGPENDING", said["open_files"]),
    ):
        limit = getattr(resource, f"RLIMIT_{name}", None)
        if most is None or limit is None or resource.getrlimit(limit) == (most, most):
            continue  # the last: gVisor lets some be set from outside alone
        resource.setrlimit(limit, (most, most))
