"""What goes wrong between a client and a server, one word for each request of a kind.

    {"create": "429 drop", "submit": "500-done"}

The first run is refused with 429, and the connection of the second try breaks; outputs are taken, but the answer is a
500. Further requests, and those that `ok` stands for, go through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import httpx2

from toolkit.testing.links import Answer, Sent

__all__ = ["KINDS", "WORDS", "Faults", "Faulty", "kind_of"]

KINDS: Final[Mapping[str, str]] = {
    "create": r"POST /threads/(runs|[^/]+/runs)",
    "submit": r"POST /threads/[^/]+/runs/[^/]+/submit_tool_outputs",
    "cancel": r"POST /threads/[^/]+/runs/[^/]+/cancel",
    "read": r"GET /threads/[^/]+/runs/[^/]+",
    "list": r"GET /threads/[^/]+/runs",
    "steps": r"GET /threads/[^/]+/runs/[^/]+/steps",
    "messages": r"GET /threads/[^/]+/messages",
    "message": r"POST /threads/[^/]+/messages",
    "thread": r"POST /threads",
    "assistant": r"(POST|GET) /assistants(/[^/]+)?",
    "upload": r"POST /files",
}
"""Kinds of requests, and what their lines look like; what is none of these is `other`."""

WORDS: Final[Mapping[str, str]] = {
    "ok": "Nothing goes wrong.",
    "STATUS": "An error of this HTTP status, such as 429, 500 or 503; nothing is done.",
    "STATUS-done": "The same, but what was asked for is done.",
    "drop": "The connection breaks before anything is done.",
    "drop-done": "What was asked for is done, and then the connection breaks.",
    "timeout": "No answer comes in time, and nothing is done. (Nobody waits for it.)",
    "timeout-done": "No answer comes in time, but what was asked for is done.",
    "cut:N": "The connection breaks when N events of the stream have come; `cut` is `cut:1`.",
    "twice": "Each event of the stream comes twice.",
    "garbled": "The JSON of each event of the stream is broken, but for `done`.",
    "error": "The stream is one event, `error`; what was asked for is done.",
    "expired": "The run's time is up before the request comes.",
}
"""The words there are."""

_WORD = re.compile(r"ok|(?:[45]\d\d|drop|timeout)(?:-done)?|cut(?::\d+)?|twice|garbled|error|expired")
_AGAIN: Final = (408, 409, 429)
_SAID: Final[Mapping[str, Any]] = {
    "message": "This went wrong, as scripted.",
    "type": "server_error",
    "param": None,
    "code": "server_error",
}


def kind_of(sent: Sent) -> str:
    """Say which kind of request this is."""
    line = f"{sent.method} {sent.path.partition('?')[0]}"
    return next((kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, line)), "other")


class Faults:
    """The words that are left, by kind. Raises ValueError for words and kinds that there are not."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self._words: dict[str, list[str]] = {}
        for kind, words in faults.items():
            if kind not in {*KINDS, "other"}:
                raise ValueError(f"No request is called {kind!r}. There are: {', '.join(KINDS)}, other.")
            self._words[kind] = words.split()
            for word in self._words[kind]:
                if not _WORD.fullmatch(word):
                    raise ValueError(f"{word!r} is no fault. There are: {', '.join(WORDS)}.")

    @property
    def left(self) -> Mapping[str, str]:
        """The faults that have not happened."""
        return {kind: " ".join(words) for kind, words in self._words.items() if words}

    def next(self, kind: str) -> str:
        """Take the word for a request of this kind."""
        words = self._words.get(kind)
        return words.pop(0) if words else "ok"


class Faulty:
    """An `Exchange` to which the fault of one word happens."""

    def __init__(self, word: str, expire: Callable[[], object]) -> None:
        self._fault, _, self._when = word.partition("-")
        self._fails = self._fault in ("drop", "timeout") or self._fault.isdigit()
        self._expire = expire
        name, _, number = word.partition(":")
        self._cut_after = int(number or 1) if name == "cut" else None
        self._passed = 0
        self._buffer = b""

    def ask(self) -> Answer | None:
        """Fail before anything is done, where the word is of that kind."""
        if self._fault == "expired":
            self._expire()
        return self._failed() if self._fails and not self._when else None

    def begin(self, status: int, headers: Mapping[str, str]) -> Callable[[], Answer] | None:
        """Fail now that all is done, where the word is of that kind."""
        return self._failed if self._when or self._fault == "error" else None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Let whole events through as the word has it, and anything else as it is."""
        if self._cut_after is None and self._fault not in ("twice", "garbled"):
            yield piece
            return
        self._cut(self._cut_after == 0)
        *events, self._buffer = (self._buffer + piece).split(b"\n\n")
        for event in events:
            yield from self._changed(event + b"\n\n")
            self._passed += 1
            self._cut(self._passed == self._cut_after)

    def end(self) -> Iterable[bytes]:
        """Let through what is left."""
        self._cut(self._cut_after is not None)
        return (self._buffer,) if self._buffer else ()

    def left(self) -> None:
        """Do nothing: there is nobody to tell."""

    def _cut(self, now: bool) -> None:
        if now:
            raise httpx2.RemoteProtocolError("The stream was cut, as scripted.")

    def _changed(self, event: bytes) -> Iterator[bytes]:
        is_done = b"data: [DONE]" in event
        if self._fault == "garbled" and not is_done:
            event = event.replace(b"data: {", b"data: {{")
        yield event
        if self._fault == "twice" and not is_done:
            yield event

    def _failed(self) -> Answer:
        if self._fault == "drop":
            raise httpx2.RemoteProtocolError("The connection was dropped, as scripted.")
        if self._fault == "timeout":
            raise httpx2.ReadTimeout("No answer came in time, as scripted.")
        if self._fault == "error":
            event = b"event: error\ndata: " + json.dumps({"error": _SAID}).encode()
            return Answer(200, {"content-type": "text/event-stream"}, (event, b"\n\nevent: done\ndata: [DONE]\n\n"))
        soon = {"retry-after-ms": "1"} if int(self._fault) in _AGAIN or self._fault >= "500" else {}
        return Answer.of(int(self._fault), {"error": _SAID}, soon)
