"""A real HTTP server that tells what was asked of it, and answers as its path says."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Api:
    """The server: what it was asked, and what it answers where."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """By the path without its query: status, headers, body."""

    def document(self, paths: dict[str, Any], **more: Any) -> dict[str, Any]:
        info = {"title": "API", "version": "1"}
        return {"openapi": "3.1.0", "info": info, "servers": [{"url": self.url}], "paths": paths, **more}

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].partition("/")[0])


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            api.asked.append(Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if self.path.startswith("/v1/slow"):
                time.sleep(1)
            fallback = (200, {"content-type": "application/json"}, json.dumps({"path": self.path}).encode())
            status, headers, said = api.answers.get(self.path.partition("?")[0], fallback)
            self.send_response(status)
            for name, value in {"content-length": str(len(said)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a client that has read enough
                self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        api.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield api
        server.shutdown()
        thread.join(5)
