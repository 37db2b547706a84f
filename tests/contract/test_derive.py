"""What is taken of the official description: what says something is valid, and whatever that names."""

from __future__ import annotations

from typing import Any

from tests.contract.derive import derived

DESCRIPTION: dict[str, Any] = {
    "paths": {
        "/files": {
            "post": {
                "operationId": "createFile",
                "summary": "Upload a file.",
                "parameters": [
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "default": 20}},
                    {"in": "path", "name": "file_id", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Form"}}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/File"}}}}
                },
            }
        },
        "/images": {"post": {"operationId": "createImage"}},
    },
    "components": {
        "schemas": {
            "Form": {
                "type": "object",
                "description": "A form.",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "title": {"type": "string", "nullable": True, "maxLength": 5, "x-stainless-const": True},
                    "description": {"allOf": [{"$ref": "#/components/schemas/Text"}, {"nullable": True}]},
                },
            },
            "File": {"type": "object", "properties": {"at": {"type": "integer", "format": "unixtime"}}},
            "Text": {"type": "string", "enum": ["title", "description"], "title": "Text"},
            "AssistantStreamEvent": {"oneOf": [{"$ref": "#/components/schemas/File"}]},
            "ErrorResponse": {"type": "object", "required": ["error"]},
            "Image": {"type": "string"},
        }
    },
}


def test_operations_and_what_they_name() -> None:
    taken = derived(DESCRIPTION)
    assert taken["operations"] == {
        "createFile": {
            "method": "POST",
            "path": "/files",
            "query": {"limit": {"type": "integer"}},
            "request": {"content": "multipart/form-data", "required": True, "schema": {"$ref": "#/$defs/Form"}},
            "response": {"$ref": "#/$defs/File"},
        }
    }
    assert taken["$defs"] == {
        "Form": {
            "type": "object",
            "properties": {
                "file": {"type": "string", "format": "binary"},
                "title": {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]},
                "description": {"anyOf": [{"$ref": "#/$defs/Text"}, {"type": "null"}]},
            },
        },
        "File": {"type": "object", "properties": {"at": {"type": "integer"}}},
        "Text": {"type": "string", "enum": ["title", "description"]},
        "AssistantStreamEvent": {"oneOf": [{"$ref": "#/$defs/File"}]},
        "ErrorResponse": {"type": "object", "required": ["error"]},
    }
