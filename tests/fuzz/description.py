"""The OpenAPI description that schemathesis makes requests of and holds answers to.

It is the official one with our differences (`tests/contract/official.py`) and with what the official one says in texts
alone: how long names are, what a page may hold. Links say which operation gives the ids that another one needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.contract.official import MORE_LISTS, Side, definitions, kept
from tests.contract.operations import OFFICIAL, Operation

__all__ = ["described", "params_of"]

STREAMED: Final = ("createRun", "createThreadAndRun", "submitToolOuputsToRun")
NAMES: Final[Mapping[str, str]] = {
    "AssistantObject": "assistant_id",
    "ThreadObject": "thread_id",
    "MessageObject": "message_id",
    "RunObject": "run_id",
    "RunStepObject": "step_id",
    "OpenAIFile": "file_id",
    "Upload": "upload_id",
    "VectorStoreObject": "vector_store_id",
    "VectorStoreFileObject": "file_id",
    "VectorStoreFileBatchObject": "batch_id",
}
"""What the id of an object is called in paths."""
NAME: Final = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"}
TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 256_000}
MORE_TEXT: Final = {"anyOf": [{"type": "string", "maxLength": 256_000}, {"type": "null"}]}
QUERY: Final = {"type": "string", "minLength": 1, "maxLength": 16_384}
ATTRIBUTES: Final = {
    "type": "object",
    "maxProperties": 16,
    "propertyNames": {"maxLength": 64},
    "additionalProperties": {"anyOf": [{"type": "string", "maxLength": 512}, {"type": ["number", "boolean"]}]},
}
METADATA: Final = {
    "type": "object",
    "maxProperties": 16,
    "propertyNames": {"maxLength": 64},
    "additionalProperties": {"type": "string", "maxLength": 512},
}


def described(kept: Mapping[str, str], doomed: Mapping[str, str]) -> dict[str, Any]:
    """Give the description of what is served, with ids that are there as examples: such as may be deleted for that."""
    schemas = {f"answers.{name}": _named("answers", schema) for name, schema in definitions("answers").items()}
    schemas |= {f"requests.{name}": _named("requests", schema) for name, schema in _bounded().items()}
    for schema in schemas.values():
        _exemplify(schema, kept)
    paths: dict[str, Any] = {}
    like = OFFICIAL["listAssistants"].query
    more = [
        Operation(f"GET {path}", "GET", path, like, {"$ref": f"#/$defs/{answer}"})
        for path, answer, _ in MORE_LISTS.values()
    ]
    for operation in (*OFFICIAL.values(), *more):
        ids = doomed if operation.method == "DELETE" else kept
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, ids)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Assistants", "version": "2"},
        "security": [{"key": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def params_of(path: str) -> list[str]:
    """Give the names of the parameters in a path."""
    return re.findall(r"\{(\w+)\}", path)


def _named(side: Side, value: Any) -> Any:
    """Give a schema with its references as OpenAPI has them."""
    return json.loads(json.dumps(value).replace("#/$defs/", f"#/components/schemas/{side}."))


def _operation(operation: Operation, ids: Mapping[str, str]) -> dict[str, Any]:
    path = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string", **_example(name, ids)}}
        for name in params_of(operation.path)
    ]
    query = [{"in": "query", "name": name, "schema": _bounds(name, operation)} for name in operation.query]
    kind = "*/*" if operation.id == "downloadFile" else "application/json"
    content: dict[str, Any] = {kind: {"schema": _named("answers", operation.response)}} if kind != "*/*" else {kind: {}}
    if operation.id in STREAMED:
        content["text/event-stream"] = {}
    error = {"application/json": {"schema": _named("answers", {"$ref": "#/$defs/ErrorResponse"})}}
    made = {
        "operationId": operation.id,
        "parameters": [*path, *query],
        "responses": {
            "200": {"description": "", "content": content, "links": dict(_links(operation))},
            "4XX": {"description": "", "content": error},
        },
    }
    if operation.request is not None:
        schema = _named("requests", operation.request["schema"])
        made["requestBody"] = {
            "required": _must_be_there(operation.request["schema"]),
            "content": {operation.request["content"]: {"schema": schema}},
        }
    return made


def _example(name: str, ids: Mapping[str, str]) -> dict[str, Any]:
    return {"examples": [ids[name]]} if name in ids else {}


def _exemplify(schema: Any, ids: Mapping[str, str]) -> None:
    """Note which ids are there, wherever a body may name something."""
    if isinstance(schema, dict):
        for name, below in schema.get("properties", {}).items():
            if isinstance(below, dict):
                below |= _example(name, ids)
                for choice in (below, *below.get("anyOf", ())):
                    if isinstance(choice, dict) and "items" in choice:
                        choice["items"] |= _example(name.removesuffix("s"), ids)
        for below in schema.values():
            _exemplify(below, ids)
    elif isinstance(schema, list):
        for below in schema:
            _exemplify(below, ids)


def _must_be_there(schema: Any) -> bool:
    """Whether a body may not be left out: it has members that may not."""
    return bool(kept()["$defs"][schema["$ref"].rpartition("/")[2]].get("required"))


def _links(operation: Operation) -> Iterator[tuple[str, Any]]:
    """Say which operations take the ids in an operation's answer as parameters of their paths."""
    schema = operation.response.get("$ref", "").rpartition("/")[2]
    if operation.method != "POST" or schema not in NAMES:
        return
    known = {NAMES[schema]: "$response.body#/id"}
    for name in params_of(operation.path):
        known.setdefault(name, f"$request.path.{name}")
    for name in kept()["$defs"][schema]["properties"]:
        if name in NAMES.values():
            known.setdefault(name, f"$response.body#/{name}")
    for other in OFFICIAL.values():
        needed = params_of(other.path)
        if NAMES[schema] in needed and set(needed) <= known.keys():
            yield other.id, {"operationId": other.id, "parameters": {name: known[name] for name in needed}}


# What the official description says in texts


def _bounds(name: str, operation: Operation) -> Any:
    if name == "limit":
        return {"type": "integer", "minimum": 1, "maximum": 10_000 if operation.id == "listFiles" else 100}
    return _named("requests", operation.query[name])


def _bounded() -> dict[str, Any]:
    """Give the schemas of requests with what the engine holds them to besides."""
    bounded: dict[str, Any] = json.loads(json.dumps(definitions("requests")))
    for schema in bounded.values():
        _close(schema)
    members = {name: schema["properties"] for name, schema in bounded.items() if "properties" in schema}
    bounded["Metadata"] = {"anyOf": [METADATA, {"type": "null"}]}
    members["FunctionObject"]["name"] = NAME
    members["ResponseFormatJsonSchema"]["json_schema"]["properties"]["name"] = NAME
    members["MessageRequestContentTextObject"]["text"] = TEXT
    members["MessageContentImageUrlObject"]["image_url"]["properties"]["url"]["minLength"] = 1
    members["CreateMessageRequest"]["content"]["oneOf"][0] = TEXT
    for name in ("CreateAssistantRequest", "ModifyAssistantRequest", "CreateRunRequest", "CreateThreadAndRunRequest"):
        members[name]["model"] = {"type": "string", "minLength": 1}
        members[name]["instructions"] = MORE_TEXT
    for name in ("CreateRunRequest", "CreateThreadAndRunRequest"):
        members[name]["tool_resources"] = {"anyOf": [{"type": "object", "maxProperties": 0}, {"type": "null"}]}
    members["CreateRunRequest"]["additional_instructions"] = MORE_TEXT
    members["ModifyAssistantRequest"]["tools"] = members["CreateAssistantRequest"]["tools"]["anyOf"][0]
    members["CreateFileRequest"]["expires_after"] = {"$ref": "#/$defs/FileExpirationAfter"}  # forms know no null
    members["CreateUploadRequest"]["bytes"] |= {"minimum": 0, "maximum": 8 * 2**30}
    members["CreateUploadRequest"]["filename"] |= {"maxLength": 1024}
    members["CreateUploadRequest"]["mime_type"] |= {"maxLength": 256}
    bounded["VectorStoreFileAttributes"] = {"anyOf": [ATTRIBUTES, {"type": "null"}]}
    members["StaticChunkingStrategy"]["chunk_overlap_tokens"] |= {"minimum": 0, "maximum": 50}  # half of the least size
    members["VectorStoreSearchRequest"]["query"] = {"oneOf": [QUERY, {"type": "array", "items": QUERY, "minItems": 1}]}
    for name in ("CreateVectorStoreRequest", "UpdateVectorStoreRequest"):
        members[name]["name"] = {"anyOf": [{"type": "string", "maxLength": 256}, {"type": "null"}]}
    members["CreateVectorStoreRequest"]["description"] = {
        "anyOf": [{"type": "string", "maxLength": 512}, {"type": "null"}]
    }
    for name in ("CreateAssistantRequest", "CreateThreadRequest"):  # nothing, and both as long as one is empty
        del members[name]["tool_resources"]["anyOf"][0]["anyOf"][0]["properties"]["file_search"]["anyOf"][0]["oneOf"]
    return bounded


def _close(schema: Any) -> None:
    """Let objects have no members but those that are named: of whatever else comes the engine says so."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("additionalProperties", False)
        for below in schema.values():
            _close(below)
    elif isinstance(schema, list):
        for below in schema:
            _close(below)
