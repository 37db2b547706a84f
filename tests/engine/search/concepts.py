"""A server of small models that know what some words are about, on a real socket: /embeddings and /rerank.

The vector of a text counts the words of each concept in it, and one number that all texts have alike, as with many
models: texts that have nothing in common are not at right angles.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["CONCEPTS", "Concepts", "concepts", "vector"]

CONCEPTS = (
    frozenset("cat cats kitten feline purr".split()),
    frozenset("dog dogs puppy canine bark".split()),
    frozenset("money invoice payment bill owed".split()),
    frozenset("weather rain sunny cold winter".split()),
)


def vector(text: str, *, more: int = 0) -> list[float]:
    """Give a text's vector; with `more` numbers as another model makes it."""
    words = re.findall(r"\w+", text.lower())
    return [1.0, *(4.0 * sum(word in concept for word in words) for concept in CONCEPTS), *[0.0] * more]


class Concepts(ThreadingHTTPServer):
    """The server; what it was asked is in `asked`, and what it does may be changed while it runs."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.status = 200
        """Another one refuses everything."""
        self.more = 0
        """How many numbers more vectors have."""
        self.headers: dict[str, str] = {}
        """Of the last request."""
        self.embedded: list[str] = []
        """The texts whose vectors were given."""
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, path: str, body: Any) -> Any:
        if path.endswith("/embeddings"):
            self.embedded += body["input"]
            made = [vector(text, more=self.more + (body["model"] == "wide")) for text in body["input"]]
            data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(made)]
            return {"object": "list", "data": data[::-1], "model": body["model"]}
        question = vector(body["query"])
        about = [vector(text) for text in body["documents"]]
        scores = [sum(a * b for a, b in zip(question[1:], each[1:], strict=True)) / 1000 for each in about]
        return {"results": [{"index": index, "relevance_score": score} for index, score in enumerate(scores)]}


class _Handler(BaseHTTPRequestHandler):
    server: Concepts

    def do_GET(self) -> None:
        self._say(200, {"object": "list", "data": [{"id": "concepts"}, {"id": "wide"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, asked))
        self.server.headers = {name.lower(): value for name, value in self.headers.items()}
        if self.server.status != 200:
            self._say(self.server.status, {"error": {"message": "not now"}})
        else:
            self._say(200, self.server.answer(self.path, asked))

    def _say(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def concepts() -> Iterator[Concepts]:
    """Serve until the block ends."""
    server = Concepts()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def texts_of(asked: Sequence[tuple[str, Any]]) -> list[list[str]]:
    """Give the texts of each request for vectors."""
    return [body["input"] for path, body in asked if path.endswith("/embeddings")]
