"""An API described by OpenAPI becomes an assistant's tools.

    python examples/pets_openapi.py

The API is a small one that this program serves itself on a free port; in its place stands the URL of any document. The
key goes where the document says, and the model never sees it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from toolkit import run
from toolkit.engine import Engine
from toolkit.openapi import from_openapi

KEY = "sesame"
PETS = {1: {"id": 1, "name": "Rex", "kind": "dog"}, 2: {"id": 2, "name": "Tom", "kind": "cat"}}

KIND = {"name": "kind", "in": "query", "required": True, "schema": {"type": "string", "enum": ["dog", "cat"]}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "security": [{"key": []}],
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "paths": {
        "/pets": {
            "get": {"operationId": "list_pets", "summary": "List the pets of a kind.", "parameters": [KIND]},
        },
        "/pets/{id}": {
            "delete": {
                "operationId": "delete_pet",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            },
        },
    },
}


class Pets(BaseHTTPRequestHandler):
    """The API: a document, a list of pets, and a door."""

    def do_GET(self) -> None:
        if self.path == "/openapi.json":
            self.answer(200, DOCUMENT)
        elif self.headers["X-Key"] != KEY:
            self.answer(401, {"error": "no key"})
        else:
            kind = self.path.rpartition("kind=")[2]
            self.answer(200, [pet for pet in PETS.values() if pet["kind"] == kind])

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the API while the block lasts, and give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pets) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    client = Engine("sqlite:///:memory:").client()
    with served() as url:
        tools = from_openapi(f"{url}/openapi.json", only=["list_pets"], auth=KEY)
        assistant = client.beta.assistants.create(model="offline", tools=tools.definitions)
        result = run(client, tools, assistant_id=assistant.id, input='List the pets of the kind "dog"')
    for finished in result.calls:
        print(f"call    {finished.call.name}({finished.call.arguments})")
        print(f"result  {finished.output.content}")


if __name__ == "__main__":
    main()
