"""Reads documents, each in its own process: `python -m toolkit.engine.search.reader MEMORY_BYTES CPU_S MOST_BYTES`.

Requests come on standard input and answers go to standard output, one after the other: eight bytes that say how many
follow, and those. A request is a document; an answer is a JSON object, {"text", "places": [[offset, place]]}, or
{"code", "message"} as in a vector store file's `last_error`.

This process loads what reads a kind of document, once, and looks at none. For each it forks, and the fork is sealed
before it begins to read: a document that takes its reader over has nothing to take.
"""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import Final

from toolkit.engine.search.formats import Broken, Kind, Read, kind_of, reader_of
from toolkit.engine.search.sealing import seal

__all__ = ["main"]

_EXTRA: Final = 'pip install "assistants-toolkit[files]"'
_LENGTH: Final = 8
_OUT_OF_BOUNDS: Final = "The file could not be read within the bounds on memory and time."


def main(memory_bytes: int, cpu_s: int, most_bytes: int) -> None:
    """Answer requests until there are no more."""
    while head := sys.stdin.buffer.read(_LENGTH):
        data = sys.stdin.buffer.read(int.from_bytes(head))
        answer = _answer(data, memory_bytes, cpu_s, most_bytes)
        _write(1, len(answer).to_bytes(_LENGTH) + answer)


def _answer(data: bytes, memory_bytes: int, cpu_s: int, most_bytes: int) -> bytes:
    kind = kind_of(data)
    if kind is None:
        return _failed("unsupported_file", "The file is no text, and no document of a kind that can be read.")
    try:
        read = _loaded(kind)
    except ImportError:
        return _failed("unsupported_file", f"Reading {kind} files needs more packages: {_EXTRA}")
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            seal(memory_bytes=memory_bytes, cpu_s=cpu_s)
            _write(sending, _said(kind, read, data, most_bytes))
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer or _failed("invalid_file", _OUT_OF_BOUNDS)  # it was ended, by its limits or by what it read


@cache
def _loaded(kind: Kind) -> Read:
    return reader_of(kind)


def _said(kind: Kind, read: Read, data: bytes, most_bytes: int) -> bytes:
    texts: list[str] = []
    places: list[tuple[int, str]] = []
    at = size = 0
    try:
        for place, text in read(data):
            if not text.strip():
                continue
            if not places or places[-1][1] != place:
                places.append((at, place))
            texts.append(f"{text.rstrip()}\n\n")
            at += len(texts[-1])
            size += len(text.encode("utf-8", "replace"))
            if size > most_bytes:
                return _failed("invalid_file", "The file has too much text.")
    except Broken as error:
        return _failed("invalid_file", str(error))
    except MemoryError:
        return _failed("invalid_file", _OUT_OF_BOUNDS)
    except Exception:  # whatever a parser makes of a broken file
        return _failed("invalid_file", f"The file is damaged, or no {kind} file.")
    return json.dumps({"text": "".join(texts), "places": places}).encode()


def _failed(code: str, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
