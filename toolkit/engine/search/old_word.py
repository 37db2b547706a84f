"""Word files of before 2007 (.doc), through `catdoc` or `antiword` where one of them is installed.

Both are old programs in C, and are run as such: with no file but the one given and what the system has for all, no
connection and no program besides, within bounds on memory and time. Run as a program, this module puts itself under
these bounds, and then becomes the other. It takes Linux with Landlock (5.13).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from typing import Final

from toolkit.engine.search.reading import OLD_OFFICE, Text, Unreadable
from toolkit.kernel.calls import machine
from toolkit.kernel.landlock import abi, restrict
from toolkit.kernel.privileges import gain_no_privileges
from toolkit.kernel.seccomp import Pass, install, program

__all__ = ["is_old_office", "read"]

_WORD, _LOCKED = "WordDocument".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le")
_PROGRAMS: Final[Mapping[str, Sequence[str]]] = {
    "catdoc": ("-w", "-s", "cp1252", "-d", "utf-8"),
    "antiword": ("-w", "0", "-m", "UTF-8.txt", "/proc/self/fd/0"),
}
_READABLE: Final = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")
_WALL_S: Final = 30.0
_CPU_S: Final = 20
_MEMORY_BYTES: Final = 2**29
_MOST_TEXT: Final = 2**25
_NEEDED: Final = """
execve read write close fstat stat lstat newfstatat statx access faccessat faccessat2 open openat readlink readlinkat
lseek getdents64 mmap mprotect munmap brk mremap madvise rt_sigaction rt_sigprocmask rt_sigreturn readv writev pread64
ioctl fcntl getpid gettid getuid geteuid getgid getegid getcwd uname arch_prctl set_tid_address set_robust_list rseq
prlimit64 getrlimit sysinfo getrandom futex clock_gettime gettimeofday time exit exit_group restart_syscall
"""


def is_old_office(data: bytes) -> bool:
    """Say whether a file is one of the Office of before 2007, or a locked one of today's."""
    return data.startswith(OLD_OFFICE)


async def read(data: bytes) -> Text:
    """Give the text of such a file. Raises Unreadable."""
    if _LOCKED in data:
        raise Unreadable("invalid_file", "The document needs a password.")
    if _WORD not in data:
        raise Unreadable("unsupported_file", "The file is an old Office file. Save it as .docx, .xlsx, .pptx or PDF.")
    name = next((name for name in _PROGRAMS if shutil.which(name)), None)
    if name is None or machine() is None or not abi():
        said = "The file is an old Word file (.doc). Install catdoc or antiword to have such read, or save it as .docx."
        raise Unreadable("unsupported_file", said)
    text = (await _said_by(name, data)).replace("\r\n", "\n")
    if not text.strip():
        raise Unreadable("invalid_file", "The document is damaged, or has no text.")
    return Text(text)


async def _said_by(name: str, data: bytes) -> str:
    file = os.memfd_create("document")
    try:
        with os.fdopen(os.dup(file), "wb") as writing:
            writing.write(data)
        os.lseek(file, 0, os.SEEK_SET)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, shutil.which(name) or name, *_PROGRAMS[name]),
            stdin=file,
            stdout=PIPE,
            stderr=DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8", "HOME": "/usr"},
            cwd="/",
        )
    finally:
        os.close(file)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_WALL_S):
            said = await _at_most(process.stdout)
            await process.wait()
    except TimeoutError:
        raise Unreadable("invalid_file", f"Reading the file takes more than {_WALL_S:.0f} seconds.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode("utf-8", "replace")


async def _at_most(stream: asyncio.StreamReader) -> bytes:
    said = bytearray()
    while piece := await stream.read(2**16):
        said += piece
        if len(said) > _MOST_TEXT:
            raise Unreadable("invalid_file", "The file has too much text.")
    return bytes(said)


def _become(path: str, arguments: list[str]) -> None:
    """Be the other program, within the bounds, from here on."""
    import resource  # not there on Windows, where none is started

    for limit, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    gain_no_privileges()
    here = machine()
    if here is None or not restrict(read=filter(os.path.exists, _READABLE), write=()):
        sys.exit("there is no wall")
    install(program(here, map(Pass, _NEEDED.split())))
    os.execve(path, [path, *arguments], {"LC_ALL": "C.UTF-8", "HOME": "/usr"})  # noqa: S606 - of our own choosing


if __name__ == "__main__":
    _become(sys.argv[1], sys.argv[2:])
