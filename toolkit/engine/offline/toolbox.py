"""Tools as they are matched: the words of their names, descriptions and parameters, read from their JSON once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, cast

from toolkit.engine.offline.words import is_little, name_words, stem, words_in

__all__ = ["Parameter", "Role", "Schema", "Tool", "Toolbox", "parameters_of", "toolbox"]

Schema = Mapping[str, Any]
Role = Literal[
    "from", "to", "place", "date", "time", "file", "folder", "column", "email", "url", "sum", "free", "name", "most", ""
]
"""What a parameter is for, as far as its name and description say; it says where in a text its value stands."""

_ROLES: Final[tuple[tuple[Role, frozenset[str]], ...]] = tuple(
    (role, frozenset(stem(word) for word in words.split()))
    for role, words in cast(
        "tuple[tuple[Role, str], ...]",
        (
            ("email", "email mail"),
            ("url", "url uri link website"),
            ("from", "from origin departure source start begin sender"),
            ("to", "to destination arrival target end recipient receiver"),
            ("date", "date day"),
            ("time", "time"),
            ("column", "column col field header"),
            ("folder", "folder directory dir"),
            ("file", "file filename path document"),
            ("place", "city location place town country region state address area station where"),
            ("sum", "expression formula equation"),
            ("most", "limit most top maximum max"),
            (
                "free",
                "query text word term keyword topic question phrase search pattern subject title message body content",
            ),
            ("name", "name person user customer who"),
        ),
    )
)
_NAME_SCORE: Final = 3.0
_OTHER_SCORE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool, or one property of an object in it."""

    name: str
    schema: Schema
    """Without the null that a default adds in strict schemas."""
    required: bool
    nullable: bool
    role: Role
    words: frozenset[str]
    """The stems of its name."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One function of the request."""

    name: str
    parameters: tuple[Parameter, ...]
    words: Mapping[str, float]
    """Stems and how much each says for this tool."""
    own: frozenset[str]
    """Stems of its name and of its parameters' names: they are about the tool, not values for it."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of a request."""

    tools: tuple[Tool, ...]
    known: frozenset[str]
    """Stems of all names of tools and parameters."""


@lru_cache(maxsize=64)
def toolbox(tools_json: str) -> Toolbox:
    """Read the `tools` of a request; both wire forms of a function are understood."""
    functions = [_function(entry) for entry in json.loads(tools_json)]
    named = [function for function in functions if isinstance(function.get("name"), str)]
    shared: dict[str, int] = {}
    for function in named:
        for word in set(name_words(function["name"])):
            shared[word] = shared.get(word, 0) + 1
    tools = tuple(_tool(function, shared) for function in named)
    return Toolbox(tools, frozenset[str]().union(*(tool.own for tool in tools)))


def _function(entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        return {}
    entry = cast("dict[str, Any]", entry)
    function = entry.get("function")
    return cast("dict[str, Any]", function) if isinstance(function, dict) else entry


def _tool(function: dict[str, Any], shared: Mapping[str, int]) -> Tool:
    schema: Schema = function.get("parameters") or {}
    parameters = parameters_of(schema, schema)
    of_name = name_words(function["name"])
    own = frozenset(of_name).union(*(parameter.words for parameter in parameters))
    said: list[str] = [function.get("description") or ""]
    for parameter in parameters:
        said += [parameter.name, *(str(value) for value in parameter.schema.get("enum", ()))]
    scores = {
        word.stem: _OTHER_SCORE for word in words_in(" ".join(said).replace("_", " ")) if not is_little(word.stem)
    }
    scores |= {word: _NAME_SCORE / shared[word] ** 0.5 for word in of_name if not is_little(word)}
    return Tool(function["name"], parameters, scores, own)


def parameters_of(schema: Schema, root: Schema) -> tuple[Parameter, ...]:
    """Read the properties of an object schema; `root` holds its definitions."""
    properties: Mapping[str, Schema] = schema.get("properties") or {}
    required: Sequence[str] = schema.get("required") or ()
    return tuple(_parameter(name, each, name in required, root) for name, each in properties.items())


def _parameter(name: str, schema: Schema, required: bool, root: Schema) -> Parameter:
    plain, nullable = _plain(schema, root)
    said = f"{schema.get('description') or ''} {plain.get('description') or ''}"
    words = name_words(name)
    return Parameter(name, plain, required, nullable, _role(words, said, plain), frozenset(words))


def _plain(schema: Schema, root: Schema, depth: int = 0) -> tuple[Schema, bool]:
    """Follow references and take the null out of a schema; whether there was one."""
    if depth > 8:
        return {}, True
    if isinstance(reference := schema.get("$ref"), str):
        found = root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = cast("Schema", found.get(part) or {})
        return _plain(found, root, depth + 1)
    branches: Sequence[Schema] = schema.get("anyOf") or schema.get("oneOf") or ()
    if branches:
        others = [branch for branch in branches if branch.get("type") != "null"]
        if not others:
            return {}, True
        plain, nullable = _plain(others[0], root, depth + 1)
        return plain, nullable or len(others) < len(branches)
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [each for each in cast("list[str]", kind) if each != "null"]
        return {**schema, "type": kinds[0] if kinds else "null"}, "null" in kind
    if "enum" in schema and None in schema["enum"]:
        return {**schema, "enum": [value for value in schema["enum"] if value is not None]}, True
    items = schema.get("items")
    if isinstance(items, dict):
        return {**schema, "items": _plain(cast("Schema", items), root, depth + 1)[0], "$root": root}, False
    return ({**schema, "$root": root} if schema.get("properties") else schema), False


def _role(words: Sequence[str], description: str, schema: Schema) -> Role:
    """Guess what a parameter is for: by its format, by its name, else by its description."""
    formats: Mapping[str, Role] = {"date": "date", "date-time": "date", "time": "time", "email": "email", "uri": "url"}
    if role := formats.get(schema.get("format", "")):
        return role
    for role, stems in _ROLES:
        if stems.intersection(words):
            if role == "name" and {"file", "note", "document"} & {stem(w) for w in description.split()}:
                return "file"
            return role
    if {"note", "page"} & set(words):
        return "file" if "file" in {word.stem for word in words_in(description)} else "free"
    return ""
