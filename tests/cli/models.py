"""A small model server on a real socket: it lists models, and answers every completion with the same words."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["model_server"]


@contextlib.contextmanager
def model_server(models: Sequence[str], *, status: int = 200) -> Iterator[str]:
    """Serve until the block ends; the address with /v1. Another `status` refuses everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("application/json", json.dumps({"object": "list", "data": [{"id": name} for name in models]}))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if asked["model"] not in models:
                self._answer("application/json", json.dumps({"error": {"message": f"no model {asked['model']}"}}), 404)
                return
            words = [{"content": f"I am {asked['model']}, "}, {"content": "at your service."}]
            chunks = [{"choices": [{"index": 0, "delta": word, "finish_reason": None}]} for word in words]
            chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            lines = [
                f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', **chunk})}\n\n" for chunk in chunks
            ]
            self._answer("text/event-stream", "".join(lines) + "data: [DONE]\n\n")

        def _answer(self, kind: str, text: str, code: int = status) -> None:
            if code == 401:
                text = json.dumps({"error": {"message": "wrong key"}})
            body = text.encode()
            self.send_response(code)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
