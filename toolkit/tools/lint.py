"""What a model may stumble over in a toolset, though nothing is wrong enough to be an error.

Limits of the strict form (levels, properties, enum values, characters) are told as the reason why a tool is not strict;
more than 128 tools, names that cannot be and types that cannot be said are errors where the toolset is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

from toolkit.tools.plain import Schema, is_schema, target
from toolkit.tools.tool import Tool

__all__ = ["RULES", "Finding", "Rule", "findings"]

Rule = Literal["description", "parameters", "length", "strict", "null", "names", "alike"]
RULES: tuple[Rule, ...] = get_args(Rule)

MOST_CHARACTERS = 1024
"""What hosted services take of a function's description; they refuse longer ones."""
HOSTED = {"file_search", "code_interpreter", "retrieval"}
"""What models know as tools of the service itself."""
ALIKE = 0.8
"""Share of the words that two descriptions have in common, from which on nobody can tell the tools apart."""
SMALL_WORDS = {"a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "is", "it", "its", "of", "on", "or",
               "that", "the", "this", "to", "with"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; as text, a sentence that begins with the tool's name."""

    tool: str
    rule: Rule
    text: str

    def __str__(self) -> str:
        return f"{self.tool}: {self.text}"


def findings(tools: Mapping[str, Tool[..., Any]]) -> Iterator[Finding]:
    """Go through the tools, one after another and two by two."""
    for name, tool in tools.items():
        yield from (Finding(name, rule, text) for rule, text in _of_one(name, tool))
    for (first, one), (second, other) in combinations(tools.items(), 2):
        if _bare(first) == _bare(second):
            yield Finding(second, "names", f"its name is nearly that of {first}")
        if _parameters(one).keys() == _parameters(other).keys() and _alike(one.description, other.description):
            yield Finding(second, "alike", f"says nearly what {first} says: a model cannot tell which to call")


def _of_one(name: str, tool: Tool[..., Any]) -> Iterator[tuple[Rule, str]]:
    if not tool.description:
        yield "description", "has no description; give the function a docstring"
    if (length := len(tool.description)) > MOST_CHARACTERS:
        yield "length", f"its description has {length} characters; hosted services take {MOST_CHARACTERS} at most"
    schema, parameters = tool.plain_parameters, _parameters(tool)
    if silent := [each for each, said in parameters.items() if not _is_described(said, schema)]:
        yield "parameters", f"nothing is said of {', '.join(silent)}"
    if tool.asked_strict is not False and tool.not_strict_because:
        yield "strict", f"not strict: {tool.not_strict_because}"
    for each, said in parameters.items():
        if tool.strict and said.get("default") is not None and _takes_null(said, schema):
            yield "null", f"{each}: null means the default here; where None must get through, write strict=False"
    if name in HOSTED:
        yield "names", "a model may take it for the hosted tool of this name"


def _parameters(tool: Tool[..., Any]) -> dict[str, Schema]:
    properties: dict[str, Any] = tool.plain_parameters.get("properties", {})
    return {name: said for name, said in properties.items() if is_schema(said)}


def _is_described(said: Schema, root: Schema) -> bool:
    if "description" in said:
        return True
    if "$ref" in said:
        return _is_described(target(said, root), root)
    return any(_is_described(each, root) for each in said.get("anyOf", ()))


def _takes_null(said: Schema, root: Schema) -> bool:
    if "$ref" in said:
        return _takes_null(target(said, root), root)
    return said.get("type") == "null" or any(_takes_null(each, root) for each in said.get("anyOf", ()))


def _bare(name: str) -> str:
    return re.sub(r"[_-]|s\b", "", name.casefold())


def _alike(one: str, other: str) -> bool:
    first, second = _words(one), _words(other)
    return bool(first) and len(first & second) >= ALIKE * len(first | second)


def _words(text: str) -> set[str]:
    words = re.findall(r"\w+", text.casefold())
    return {word.removesuffix("s") for word in words} - SMALL_WORDS
