"""Bytes that no client would send, made by hypothesis: heads of requests, paths, queries, forms; and texts of models.

Hypothesis and not a fuzzer that is guided by coverage (atheris): what is attacked is mostly C and Rust behind Python
(httptools, python-multipart, pydantic), of which such a fuzzer sees nothing, and what is found should come back small.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.official import problems
from tests.contract.raw import Answer
from tests.fuzz.checks import KEY, MARKS, STATUSES
from tests.fuzz.world import World

__all__ = ["ATTACKS", "Attack"]

Attack = Callable[[World, settings], None]

HEADERS: Final = ("x-request-id", "openai-version", "openai-processing-ms")
END: Final = b"\r\n"

SCRAPS: Final = st.sampled_from(
    [
        *(b"%00", b"%2F", b"%2f..%2f", b"%ff", b"%ED%A0%80", b"%", b"%zz", b"..", b".", b"//", b";a=b", b"?", b"#"),
        *(
            "ü".encode(),
            b"\xff",
            b"\x00",
            b"\t",
            b" ",
            b"'",
            b'"',
            b"`",
            b"<",
            b"{",
            b"[]",
            b"%5B%5D",
            b"+",
            b"&",
            b"=",
        ),
    ]
)
WORDS: Final = st.one_of(SCRAPS, st.binary(max_size=6), st.from_regex(rb"[a-z0-9_-]{1,12}", fullmatch=True))


def targets(ids: Mapping[str, str]) -> st.SearchStrategy[bytes]:
    """Give paths with queries: known places, ids that are there, and anything between."""
    known = "v1 openai assistants threads runs messages steps files content uploads parts vector_stores search models"
    places = st.sampled_from([word.encode() for word in [*known.split(), *ids.values()]])
    names = st.sampled_from([b"limit", b"order", b"after", b"before", b"run_id", b"include[]", b"include", b"purpose"])
    values = st.one_of(WORDS, places, st.sampled_from([b"asc", b"1", b"-1", b"1e9", b"9" * 400, b"\xd9\xa1", b""]))
    pairs = st.tuples(st.one_of(names, WORDS), values).map(lambda pair: pair[0] + b"=" + pair[1])
    path = st.lists(st.one_of(places, places, WORDS), max_size=6).map(lambda parts: b"/v1/" + b"/".join(parts))
    query = st.lists(pairs, max_size=4).map(lambda pairs: b"?" + b"&".join(pairs) if pairs else b"")
    return st.tuples(path, query).map(b"".join)


METHODS: Final = st.sampled_from(
    [
        b"GET",
        b"POST",
        b"DELETE",
        b"HEAD",
        b"OPTIONS",
        b"PUT",
        b"PATCH",
        b"TRACE",
        b"CONNECT",
        b"get",
        b"BREW",
        b"",
        b"\xff",
    ]
)
VERSIONS: Final = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9", b"http/1.1", b"", b"X"])
KINDS: Final = [
    *(b"application/json", b"text/plain", b"multipart/form-data", b"multipart/form-data; boundary=X", b"a/b; c=d"),
    *(b"multipart/form-data; boundary=" + b"x" * 300, b'application/json; charset="', b"\xff", b""),
]
FIELDS: Final = st.one_of(
    st.tuples(st.just(b"content-type"), st.sampled_from(KINDS)),
    st.tuples(st.just(b"content-length"), st.sampled_from([b"0", b"5", b"-1", b"+5", b"1e3", b"9" * 30, b"", b"\xb2"])),
    st.tuples(st.just(b"transfer-encoding"), st.sampled_from([b"chunked", b"gzip", b"chunked, chunked", b"identity"])),
    st.tuples(st.just(b"expect"), st.sampled_from([b"100-continue", b"200-ok"])),
    st.tuples(st.just(b"connection"), st.sampled_from([b"close", b"keep-alive", b"upgrade", b"content-length"])),
    st.tuples(st.just(b"upgrade"), st.sampled_from([b"h2c", b"websocket"])),
    st.tuples(st.just(b"range"), st.sampled_from([b"bytes=0-", b"bytes=-", b"bytes=9-1", b"bytes=0-1,3-4", b"x"])),
    st.tuples(st.just(b"idempotency-key"), st.one_of(WORDS, st.just(b"k" * 256))),
    st.tuples(st.just(b"authorization"), st.sampled_from([b"", b"Bearer", b"Bearer \xff", b"Basic eDp4"])),
    st.tuples(WORDS, WORDS),
)
BODIES: Final = st.one_of(
    st.just(b""),
    st.binary(max_size=40),
    st.sampled_from([b"{}", b"[]", b"null", b"{", b'{"model":"m"}', b'{"model":"m","model":1}', b'{"a":NaN}']),
    st.sampled_from(
        [b'{"role":"user","content":"\\ud800"}', b"\xef\xbb\xbf{}", b'{"metadata":{"a":"\\u0000"}}', b"\xff"]
    ),
    st.sampled_from([b"[" * 5000, b'{"a":' * 5000, b'{"metadata":{"a":' + b"9" * 5000 + b"}}", b'"' + b"x" * 70_000]),
)


def heads(world: World, settings: settings) -> None:
    """Send requests whose lines, headers, paths, queries and bodies are odd."""

    @settings
    @given(METHODS, targets(world.kept), VERSIONS, st.lists(FIELDS, max_size=4), BODIES, st.booleans())
    def attack(method: bytes, target: bytes, version: bytes, fields: Any, body: bytes, with_key: bool) -> None:
        lines = [b" ".join((method, target, version)), b"host: localhost"]
        if with_key:
            lines.append(b"authorization: Bearer " + KEY.encode())
        lines += [name + b": " + value for name, value in fields]
        if not any(name in (b"content-length", b"transfer-encoding") for name, _ in fields):
            lines.append(b"content-length: %d" % len(body))
        _ask(world, END.join([*lines, b"", b""]) + body, head_only=method == b"HEAD")

    attack()


def forms(world: World, settings: settings) -> None:
    """Send forms with pieces cut out, put in and exchanged."""
    part = b'--X\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    right = [part % (b"purpose", b"", b"vision"), part % (b"file", b'; filename="a.txt"', b"content"), b"--X--\r\n"]
    scraps = st.sampled_from(
        [
            *(*right, part % (b"data", b'; filename="a"', b"x"), part % (b"expires_after[anchor]", b"", b"created_at")),
            *(b"--X", b"--", END, b"\r", b"\n", b":", b"\x00", b"\xff", b'"', b"; filename*=utf-8''%ff", b" " * 9000),
            *(part % (name, b"", b'{"anchor":1}') for name in (b"a[b][c]", b"[", b"expires_after")),
        ]
    )
    paths = st.sampled_from(["/v1/files", f"/v1/uploads/{world.kept['upload_id']}/parts"])

    @settings
    @given(paths, st.lists(scraps, max_size=8), st.integers(0, 400), st.integers(0, 60), st.binary(max_size=8))
    def attack(path: str, pieces: list[bytes], start: int, length: int, put_in: bytes) -> None:
        whole = b"".join(pieces)
        body = whole[:start] + put_in + whole[start + length :]
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
        head += f"content-type: multipart/form-data; boundary=X\r\ncontent-length: {len(body)}\r\n\r\n"
        _ask(world, head.encode() + body)

    attack()


def texts(world: World, settings: settings) -> None:
    """Let a model say anything, in any pieces: events keep their lines, and the message is what was said."""
    auth = {"authorization": f"Bearer {KEY}"}
    with httpx2.Client(base_url=f"{world.url}/v1", headers=auth, timeout=30) as http:
        assistant = http.post("/assistants", json={"model": "m"}).json()["id"]

        @settings
        @given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
        def attack(pieces: list[str]) -> None:
            question = {"role": "user", "content": "say " + json.dumps(pieces)}
            body = {"assistant_id": assistant, "thread": {"messages": [question]}, "stream": True}
            told = http.post("/threads/runs", json=body).content
            lines = told.decode().splitlines()  # as most clients cut it, at more than line feeds
            assert lines[-3:] == ["event: done", "data: [DONE]", ""]
            assert [line.partition(": ")[0] for line in lines] == ["event", "data", ""] * (len(lines) // 3)
            events = [json.loads(line.removeprefix("data: ")) for line in lines[1:-3:3]]
            [message] = [event for event in events if event.get("content")]
            said = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            assert message["content"][0]["text"]["value"] == said

        attack()


ATTACKS: Final[Mapping[str, Attack]] = {"heads": heads, "forms": forms, "texts": texts}


def _ask(world: World, sent: bytes, *, head_only: bool = False) -> None:
    """Send bytes, and hold what comes to what must."""
    with world.server.connect() as line:
        line.sendall(sent)
        answer = _answer(line, head_only=head_only)
    if answer is None:
        assert b"\n" not in sent.strip(), "closed without a word"
        return
    assert answer.status in STATUSES, answer
    for header in HEADERS:
        assert header in answer.headers, (header, answer)
    if answer.status >= 400 and not head_only:
        assert problems("ErrorResponse", answer.json) == []
        assert MARKS.search(answer.body.decode()) is None or MARKS.search(sent.decode("latin-1")), answer
    assert KEY.encode() not in answer.body
    assert world.faults.texts == []


def _answer(line: socket.socket, *, head_only: bool) -> Answer | None:
    """Read the first answer; None when the connection is closed before."""
    response = http.client.HTTPResponse(line, method="HEAD" if head_only else "GET")
    try:
        response.begin()
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return None
    return Answer(response.status, response.headers, response.read())
