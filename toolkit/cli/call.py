"""`toolkit call`: one tool, without a model."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast

import typer

from toolkit import RunContext
from toolkit.cli.mistakes import Mistake
from toolkit.cli.target import AnyTool, TargetArgument, one_tool

__all__ = ["arguments_of", "call"]

JSON_TYPES: Mapping[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}


def call(
    target: TargetArgument,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Such as city=Seoul.")] = None,
    arguments_json: Annotated[
        str | None, typer.Option("--json", metavar="OBJECT", help="All arguments as JSON.")
    ] = None,
) -> None:
    """Call one tool, without a model.

    Prints what a model would be told; the exit code is 1 when the call fails.
    """
    tool = one_tool(target)
    if arguments and arguments_json is not None:
        raise Mistake("Give the arguments either as NAME=VALUE or as --json, not both.")
    text = arguments_json if arguments_json is not None else json.dumps(arguments_of(tool, arguments or []))
    hidden = _Hidden()
    logger = logging.getLogger("toolkit.tools")
    logger.addHandler(hidden)
    logger.propagate = False
    output = tool.call(text, RunContext(None, "call_cli", tool.name, "run_cli", "thread_cli"))
    typer.echo(output.content)
    if hidden.error is not None:
        typer.echo(f"What the model is not told: {type(hidden.error).__name__}: {hidden.error}", err=True)
    if not output.ok:
        sys.stdout.flush()
        raise typer.Exit(1)


class _Hidden(logging.Handler):
    """Catch the exception that a tool's failure logs, to show it to the person and not to the model."""

    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.error = record.exc_info[1]


def arguments_of(tool: AnyTool, pairs: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE by the tool's schema: JSON where the parameter takes what it says, else the text as it is.

    So `zip=02139` is text for a string and `limit=5` a number for an integer. Raises Mistake.
    """
    schema = cast("Mapping[str, Any]", tool.definition["function"].get("parameters", {}))
    properties: Mapping[str, Any] = schema.get("properties", {})
    arguments: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise Mistake(f"{pair!r} is not understood. Write NAME=VALUE, such as {next(iter(properties), 'city')}=...")
        if name in arguments:
            raise Mistake(f'{name} is given twice. A list is written as JSON: {name}=\'["a", "b"]\'')
        arguments[name] = _value(value, json_types(properties.get(name, {}), schema.get("$defs", {})))
    return arguments


def _value(text: str, accepted: set[str]) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    kind = JSON_TYPES[type(value)]
    if kind == "null" and "string" in accepted:
        return text
    fits = not accepted or kind in accepted or (kind == "integer" and "number" in accepted)
    return value if fits or "string" not in accepted else text


def json_types(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> set[str]:
    """Collect the JSON types that a schema takes; empty where it does not say."""
    if "$ref" in schema:
        return json_types(definitions.get(str(schema["$ref"]).rpartition("/")[2], {}), definitions)
    parts = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if parts:
        return {kind for part in parts for kind in json_types(part, definitions)}
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return {JSON_TYPES[type(value)] for value in values}
    kind: str | list[str] = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(kind)
