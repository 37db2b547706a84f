"""Record what a client and a server said to one another, and play the server's part again.

A cassette is a file of JSON lines, one an exchange: the request's method, path and body; the answer's status, a few
headers, and its body, or of a stream its events as they came. Secrets are scrubbed before anything is written.

A request is answered by the first exchange that was recorded of the same method, path and body and has not been played.
Headers do not count, so neither keys nor Idempotency-Keys are compared; ids come out of the recorded answers.
"""

from __future__ import annotations

import base64
import difflib
import json
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from toolkit.engine.compose import silence_deprecation
from toolkit.testing.links import Answer, AsyncLinked, Linked, Sent, linked
from toolkit.testing.scrubbing import HEADERS, Scrub, own_secrets

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["ReplayMismatch", "areplay", "record", "replay"]

Json = dict[str, Any]
Secrets = Iterable[str | re.Pattern[str]]


class ReplayMismatch(BaseException):
    """A request that was not recorded; the text says what differs from the next one that was.

    No `Exception`: clients take those for a broken connection, and would try again and hide the text.
    """


@overload
def record(
    client: OpenAI, path: str | PathLike[str], *, scrub: Secrets = (), ignore: Collection[str] = ()
) -> OpenAI: ...
@overload
def record(
    client: AsyncOpenAI, path: str | PathLike[str], *, scrub: Secrets = (), ignore: Collection[str] = ()
) -> AsyncOpenAI: ...
def record(
    client: OpenAI | AsyncOpenAI, path: str | PathLike[str], *, scrub: Secrets = (), ignore: Collection[str] = ()
) -> OpenAI | AsyncOpenAI:
    """Give a client that does as this one and writes a new cassette; closing it closes the other.

    scrub: what else is secret, texts or compiled patterns, beside keys, tokens and organisations.
    ignore: names of members of requests' bodies that are neither written nor compared, such as `metadata`.
    """
    own = own_secrets(client.api_key, client.organization, client.project)
    return linked(client, _Recorder(Path(path), Scrub((*scrub, *own)), ignore).begin)


def replay(path: str | PathLike[str], *, scrub: Secrets = (), ignore: Collection[str] = (), **options: Any) -> OpenAI:
    """Make an `openai.OpenAI` that is answered by a cassette, and by nobody else: it needs no key and no network.

    `scrub` and `ignore` are as they were for `record`, `options` those of `OpenAI(...)`. A request that was not
    recorded raises ReplayMismatch.
    """
    from httpx2 import Client
    from openai import OpenAI

    silence_deprecation()
    player = _Player(Path(path), Scrub(scrub), ignore)
    return OpenAI(**{**_NOBODY, **options}, http_client=Client(transport=Linked(None, player.begin)))


def areplay(
    path: str | PathLike[str], *, scrub: Secrets = (), ignore: Collection[str] = (), **options: Any
) -> AsyncOpenAI:
    """Make an `openai.AsyncOpenAI` that is answered by a cassette; see `replay`."""
    from httpx2 import AsyncClient
    from openai import AsyncOpenAI

    silence_deprecation()
    player = _Player(Path(path), Scrub(scrub), ignore)
    return AsyncOpenAI(**{**_NOBODY, **options}, http_client=AsyncClient(transport=AsyncLinked(None, player.begin)))


_NOBODY: Mapping[str, Any] = {"api_key": "replayed", "base_url": "http://replayed/v1"}
_HALVES = "surrogatepass"  # of characters that a model wrote half of


class _Recorder:
    """Writes a line for each exchange when it is over."""

    def __init__(self, path: Path, scrub: Scrub, ignore: Collection[str]) -> None:
        self._path, self._scrub, self._ignore = path, scrub, ignore
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def begin(self, sent: Sent) -> _Recording:
        return _Recording(self, _request(sent, self._scrub, self._ignore))

    def write(self, request: Json, status: int, headers: Mapping[str, str], pieces: Sequence[bytes]) -> None:
        answer: Json = {"status": status, "headers": headers, **_written(headers, pieces, self._scrub)}
        line = json.dumps({"request": request, "answer": answer}, ensure_ascii=False)
        with self._lock, self._path.open("a", encoding="utf-8", errors=_HALVES) as file:
            file.write(line + "\n")


class _Recording:
    """An `Exchange` that changes nothing."""

    def __init__(self, recorder: _Recorder, request: Json) -> None:
        self._recorder, self._request = recorder, request
        self._status, self._headers = 0, dict[str, str]()
        self._pieces: list[bytes] = []
        self._is_written = False

    def ask(self) -> None:
        return None

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self._headers = {name: value for name, value in headers.items() if _is_kept(name)}

    def feed(self, piece: bytes) -> Iterable[bytes]:
        self._pieces.append(piece)
        return (piece,)

    def end(self) -> Iterable[bytes]:
        self.left()
        return ()

    def left(self) -> None:
        if not self._is_written:
            self._is_written = True
            self._recorder.write(self._request, self._status, self._headers, self._pieces)


class _Player:
    """Answers with what was recorded, each exchange once."""

    def __init__(self, path: Path, scrub: Scrub, ignore: Collection[str]) -> None:
        self._path, self._scrub, self._ignore = path, scrub, ignore
        self._lock = threading.Lock()
        try:
            lines = path.read_text(encoding="utf-8", errors=_HALVES).split("\n")  # texts hold other line ends
        except FileNotFoundError:
            raise FileNotFoundError(
                f"There is no cassette {path}. Make it once: record(client, {str(path)!r})"
            ) from None
        self._left = [_exchange(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
        self._played = 0

    def begin(self, sent: Sent) -> _Playing:
        return _Playing(lambda: self._answer(_request(sent, self._scrub, self._ignore)))

    def _answer(self, request: Json) -> Answer:
        with self._lock:
            for place, exchange in enumerate(self._left):
                if _without(exchange["request"], self._ignore) == request:
                    del self._left[place]
                    self._played += 1
                    return _read(exchange["answer"])
            raise ReplayMismatch(self._difference(request))

    def _difference(self, request: Json) -> str:
        asked = f"{request['method']} {request['path']}"
        said = f"{self._path} has no answer to request {self._played + 1}, {asked}"
        if not self._left:
            return f"{said}: all {self._played} of its exchanges have been played."
        recorded = [_without(one["request"], self._ignore) for one in self._left]
        alike = next((one for one in recorded if {**one, "body": None} == {**request, "body": None}), None)
        if alike is None:
            return f"{said}. The next that was recorded is {recorded[0]['method']} {recorded[0]['path']}."
        before, after = (json.dumps(one["body"], indent=2, ensure_ascii=False).splitlines() for one in (alike, request))
        lines = difflib.unified_diff(before, after, "recorded", "sent", lineterm="")
        return "\n".join([f"{said}, with this body:", *lines])


class _Playing:
    """An `Exchange` with nobody behind it."""

    def __init__(self, answer: Callable[[], Answer]) -> None:
        self._answer = answer

    def ask(self) -> Answer:
        return self._answer()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        return None

    def feed(self, piece: bytes) -> Iterable[bytes]:
        return (piece,)

    def end(self) -> Iterable[bytes]:
        return ()

    def left(self) -> None:
        return None


def _exchange(path: Path, number: int, line: str) -> Json:
    try:
        exchange: Json = json.loads(line)
        if {"request", "answer"} <= exchange.keys():
            return exchange
    except (ValueError, AttributeError):
        pass
    raise ValueError(f"Line {number} of {path} is no recorded exchange: record the cassette anew")


def _request(sent: Sent, scrub: Scrub, ignore: Collection[str]) -> Json:
    request = {"method": sent.method, "path": scrub.path(sent.path), "body": scrub.body(sent)}
    return _without(request, ignore)


def _without(request: Json, ignore: Collection[str]) -> Json:
    return {**request, "body": Scrub().json(request["body"], without=ignore)} if ignore else request


def _is_kept(name: str) -> bool:
    return name.lower() in HEADERS or name.lower().startswith("x-ratelimit-")


def _written(headers: Mapping[str, str], pieces: Sequence[bytes], scrub: Scrub) -> Json:
    """Write down a body: a stream by its events, JSON as such, other text as it is, bytes in base64."""
    content = b"".join(pieces)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    if headers.get("content-type", "").startswith("text/event-stream"):
        events = re.findall(r".+?(?:\r?\n\r?\n|\Z)", text, re.DOTALL)
        return {"events": [scrub.event(event) for event in events]}
    try:
        return {"body": scrub.json(json.loads(text))}
    except ValueError:
        return {"text": scrub.text(text)}


def _read(answer: Json) -> Answer:
    pieces: list[bytes]
    if "events" in answer:
        pieces = [event.encode() for event in answer["events"]]
    elif "base64" in answer:
        pieces = [base64.b64decode(answer["base64"])]
    elif "text" in answer:
        pieces = [answer["text"].encode()]
    else:
        pieces = [json.dumps(answer["body"]).encode()]
    return Answer(answer["status"], answer["headers"], pieces)
