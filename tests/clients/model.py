"""A chat completions server that answers in words known beforehand, for programs that were not written for tests.

It goes by the last user message, and by what stands after it:

- A question that names cities (Seoul, Oslo), asked with functions: it calls the first function once for each city, and
  then says what the functions gave.
- A question that begins with `Search`, asked with file_search: it searches for it, and cites the first passage.
- A question with `slowly`: it begins, and says no more until nobody listens.
- One with pictures: it says how many it sees, and how they came.
- Any other: it repeats the question.
"""

from __future__ import annotations

import itertools
import json
import re
import select
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.engine.endpoint.shapes import call, chunk, sse

__all__ = ["serving_model"]

_SLOWLY_S = 60
_USAGE = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
_numbers = itertools.count()


@contextmanager
def serving_model() -> Iterator[str]:
    """Serve until the block ends; the address with /v1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _events(request: Mapping[str, Any]) -> list[Any]:
    """Make the answer to a request: a list of chunks."""
    question, outputs = _question(request["messages"])
    if isinstance(question, str) and not outputs:
        functions = {tool["function"]["name"]: tool["function"] for tool in request.get("tools") or ()}
        calls = [
            call(json.dumps(arguments), name, f"call_{next(_numbers)}", index)
            for index, (name, arguments) in enumerate(_calls(question, functions))
        ]
        if calls:
            return [chunk({"role": "assistant", "content": None}), *map(chunk, calls), *_end("tool_calls")]
    return [*(chunk({"content": word}) for word in re.findall(r"\S+\s*", _said(question, outputs))), *_end("stop")]


def _question(messages: Sequence[Mapping[str, Any]]) -> tuple[Any, Sequence[str]]:
    """Give what the user said last, and what functions have given since."""
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    return messages[last]["content"], [one["content"] for one in messages[last:] if one["role"] == "tool"]


def _calls(question: str, functions: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Say what to call for a question: names, and arguments."""
    if question.startswith("Search"):
        if "file_search" in functions:
            yield "file_search", {"queries": [question]}
        return
    own = [name for name in functions if name != "file_search"]
    for city in re.findall("Seoul|Oslo", question):
        if own:
            yield own[0], {next(iter(functions[own[0]]["parameters"]["properties"])): city}


def _said(question: str | Sequence[Mapping[str, Any]], outputs: Sequence[str]) -> str:
    if outputs and isinstance(question, str) and question.startswith("Search"):
        marks = re.findall("【[^】]*】", outputs[0])
        return f"My notes say so {marks[0]}." if marks else "Nothing was found."
    if outputs:
        return f"It is {' and '.join(outputs)}."
    if isinstance(question, str):
        return f"You said: {question}"
    urls = [part["image_url"]["url"] for part in question if part["type"] == "image_url"]
    return f"I see {len(urls)}: {', '.join(url.partition(',')[0] for url in urls)}."


def _end(reason: str) -> list[Any]:
    return [chunk({}, reason), {"choices": [], "usage": _USAGE}]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._begin("application/json")
        self.wfile.write(b'{"object": "list", "data": []}')

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with suppress(ConnectionError):  # of a run that was cancelled
            self._begin("text/event-stream")
            if "slowly" in str(_question(request["messages"])[0]):
                self.wfile.write(sse(chunk({"content": "Well, "}), done=False))
                select.select([self.connection], [], [], _SLOWLY_S)  # until the client leaves
                return
            for event in _events(request):
                self.wfile.write(sse(event, done=False))
            self.wfile.write(sse())

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass
