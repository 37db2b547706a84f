"""Schemas of OpenAPI become JSON Schema: the dialect of 3.0 translated, references to `$defs`, decoration gone.

They describe what the model sends, so members that are only read are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from toolkit.errors import DefinitionError
from toolkit.openapi.document import Document

__all__ = ["Schemas"]

Schema = dict[str, Any]

DECORATION = ("xml", "externalDocs", "discriminator", "example", "examples", "deprecated", "$comment")
DROPPED = {*DECORATION, "readOnly", "writeOnly", "nullable", "$schema", "$id", "$anchor", "$dynamicAnchor"}
MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
ONES = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
)
MOST_NODES = 20_000
"""Schemas in the arguments of one operation; no model reads more, and a document may be made to have endlessly many."""


@dataclass(slots=True)
class Schemas:
    """The schemas of one operation's arguments, while they are gathered."""

    document: Document
    definitions: dict[str, Any] = field(default_factory=dict[str, Any])
    """Those that references lead to, by the names they have in `$defs`."""
    _names: dict[str, str] = field(default_factory=dict[str, str])
    _nodes: int = 0

    def said(self, node: object) -> Any:
        """Say one schema. Raises DefinitionError for references that cannot be followed, and for too much."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise DefinitionError(f"its arguments have more than {MOST_NODES} schemas")
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            return {}
        schema = cast("Schema", node)
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]), schema.get("description"))
        said = {key: value for key, value in schema.items() if key not in DROPPED and not key.startswith("x-")}
        for keyword in MAPS:
            if isinstance(said.get(keyword), dict):
                said[keyword] = {str(name): self.said(part) for name, part in said[keyword].items()}
        for keyword in LISTS:
            if isinstance(said.get(keyword), list):
                said[keyword] = [self.said(part) for part in said[keyword]]
        for keyword in ONES:
            if isinstance(said.get(keyword), dict):
                said[keyword] = self.said(said[keyword])
        self._without_read_only(schema, said)
        return _of_3_0(schema, said) if self.document.is_3_0 else said

    def _reference(self, reference: str, description: object) -> Schema:
        if reference not in self._names:
            name = re.sub(r"[^A-Za-z0-9_.-]", "_", reference.rpartition("/")[2]) or "root"
            while name in self.definitions:
                name += "_"
            self._names[reference] = name
            self.definitions[name] = {}  # begun: a recursive schema meets itself on the way
            self.definitions[name] = self.said(self.document.pointed(reference))
        said: Schema = {"$ref": f"#/$defs/{self._names[reference]}"}
        return {**said, "description": description} if isinstance(description, str) else said

    def _without_read_only(self, schema: Schema, said: Schema) -> None:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return
        for name, part in cast("dict[str, Any]", properties).items():
            if self.document.resolved(part).get("readOnly") is True:
                said["properties"].pop(name, None)
                if isinstance(said.get("required"), list):
                    said["required"] = [each for each in said["required"] if each != name]


def _of_3_0(schema: Mapping[str, Any], said: Schema) -> Schema:
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(said.get(bound), bool):
            is_exclusive = said.pop(bound)
            if is_exclusive and limit in said:
                said[bound] = said.pop(limit)
    if schema.get("nullable") is not True:
        return said
    if "enum" in said and None not in said["enum"]:
        said["enum"] = [*said["enum"], None]
    if isinstance(said.get("type"), str):
        said["type"] = [said["type"], "null"]
        return said
    return {"anyOf": [said, {"type": "null"}]} if said else said
