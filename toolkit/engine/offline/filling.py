"""Arguments out of a text, by the schema of a tool's parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, get_args

from toolkit.engine.offline.source import Source, source_of
from toolkit.engine.offline.strings import KINDS, free_text, string
from toolkit.engine.offline.toolbox import Parameter, Role, Schema, Tool, parameters_of
from toolkit.engine.offline.values import Kind, Value
from toolkit.engine.offline.words import CONNECTORS, VERBS, is_little, words_in

__all__ = ["Filled", "empty", "fill", "fill_schema"]

_ORDER: Final = (
    "sum",
    "email",
    "url",
    "date",
    "time",
    "from",
    "to",
    "file",
    "place",
    "most",
    "name",
    "folder",
    "column",
)
_PLACES: Final = frozenset[Role](("place", "from", "to"))
"""What a text around names more surely than what is left of the text itself."""
_ALL: Final = frozenset[Role](get_args(Role))
_UNITS: Final = {
    "c": ("celsius", "centigrade", "°c"),
    "celsius": ("celsius", "centigrade", "°c"),
    "f": ("fahrenheit", "°f"),
    "fahrenheit": ("fahrenheit", "°f"),
    "metric": ("metric", "celsius", "kilometers", "kilometres", "km"),
    "imperial": ("imperial", "fahrenheit", "miles"),
    "km": ("km", "kilometers", "kilometres"),
    "mi": ("mi", "miles"),
}
_SWITCHES: Final = frozenset({"on", "enabl", "activ", "state", "power"})
_NO: Final = frozenset({"no", "not", "without", "don't", "never", "off", "disable", "false"})


@dataclass(frozen=True, slots=True)
class Filled:
    """Arguments for one tool: `each` has those of one call per value that the text lists (Seoul and Paris)."""

    each: tuple[dict[str, Any], ...]
    missing: tuple[Parameter, ...] = ()


def fill(tool: Tool, text: str, around: str, today: Callable[[], date], known: frozenset[str]) -> Filled:
    """Fill a tool's parameters from a text; required ones that it leaves open from the text around it."""
    source = source_of(tool.parameters, tool.own, text, today, known)
    arguments = _arguments(tool.parameters, source, sure=_PLACES)
    missing = [each for each in tool.parameters if each.required and each.name not in arguments]
    if missing and around != text:
        more = source_of(tool.parameters, tool.own, around, today, known)
        mine = set(map(str, arguments.values()))
        more.values = [value for value in more.values if value.text not in mine]
        arguments |= _arguments(missing, more, sure=_ALL)
    arguments |= _arguments([each for each in missing if each.name not in arguments], source)
    missing = [each for each in missing if each.name not in arguments]
    for parameter in tool.parameters:
        if parameter in missing and (parameter.role == "folder" or parameter.schema.get("type") == "boolean"):
            arguments[parameter.name] = "." if parameter.role == "folder" else False
            missing.remove(parameter)
    in_order = {each.name: arguments[each.name] for each in tool.parameters if each.name in arguments}
    return Filled(tuple(_variations(tool, in_order, source)), tuple(missing))


def fill_schema(schema: Schema, text: str, today: Callable[[], date]) -> dict[str, Any]:
    """Fill an object schema as well as a text allows; what the text does not say is empty."""
    parameters = parameters_of(schema, schema)
    own = frozenset[str]().union(*(each.words for each in parameters))
    source = source_of(parameters, own, text, today, frozenset())
    arguments = _arguments(parameters, source)
    for each in parameters:
        if each.required and each.name not in arguments:
            arguments[each.name] = empty(each.schema)
    return {each.name: arguments[each.name] for each in parameters if each.name in arguments}


def empty(schema: Schema, text: str = "") -> Any:
    """Give the least that fits a schema."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    match schema.get("type"):
        case "boolean":
            return False
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "array":
            return []
        case "object":
            root = schema.get("$root", schema)
            return {each.name: empty(each.schema) for each in parameters_of(schema, root) if each.required}
        case "null":
            return None
        case _:
            return text


def _arguments(
    parameters: Sequence[Parameter], source: Source, *, sure: frozenset[Role] = frozenset()
) -> dict[str, Any]:
    """Fill what can be filled; those first whose values are easiest to tell. Nothing is guessed for `sure` roles."""
    arguments: dict[str, Any] = {}
    for parameter in sorted(parameters, key=_rank):
        value = _value(parameter, source, sure=parameter.role in sure)
        if value is not None:
            arguments[parameter.name] = value
        elif parameter.required and parameter.nullable:
            arguments[parameter.name] = None
    return arguments


def _rank(parameter: Parameter) -> int:
    kind = parameter.schema.get("type")
    if "enum" in parameter.schema or "const" in parameter.schema or kind == "boolean":
        return 0
    if kind in ("integer", "number"):
        return 1
    return 2 + (_ORDER.index(parameter.role) if parameter.role in _ORDER else len(_ORDER) + (parameter.role == "free"))


def _value(parameter: Parameter, source: Source, *, sure: bool) -> Any:
    schema = parameter.schema
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return _of_enum(schema["enum"], source, parameter.name)
    match schema.get("type"):
        case "boolean":
            return _boolean(parameter, source)
        case "integer" | "number":
            return _number(parameter, source)
        case "array":
            return _array(parameter, source) or None
        case "object":
            return _object(schema, source)
        case "null":
            return None
        case _:
            return string(parameter, source, sure=sure)


def _of_enum(allowed: Sequence[Any], source: Source, name: str = "") -> Any:
    """Choose the value that the text names first; one of a single letter counts after the parameter's name alone."""
    best: tuple[int, int, Any] | None = None
    said = re.search(rf"\b{re.escape(name)}\s*[=:]\s*[\"']?(\w+)", source.text, re.IGNORECASE) if name else None
    if said and (value := next((each for each in allowed if str(each).casefold() == said[1].casefold()), None)):
        return value
    for value in allowed:
        plain = str(value).casefold()
        forms = _UNITS.get(plain) or ((plain, plain.replace("_", " ")) if len(plain) > 1 or plain.isdigit() else ())
        for form in forms:
            found = re.search(rf"(?<!\w){re.escape(form)}(?:s|es)?(?!\w)", source.text, re.IGNORECASE)
            if found and (best is None or found.start() < best[0]):
                best = found.start(), found.end(), value
    if best is None:
        return None
    source.used.append(best[:2])
    return best[2]


def _boolean(parameter: Parameter, source: Source) -> bool | None:
    if parameter.words & _SWITCHES and (found := re.search(r"\b(on|off|enable|disable)\b", source.text, re.IGNORECASE)):
        return found[0].lower() in ("on", "enable")
    said = {word for word in parameter.words if not is_little(word)}
    for position, word in enumerate(source.words):
        if word.stem in said:
            before = {each.text.casefold() for each in source.words[max(0, position - 3) : position]}
            return not before & _NO
    return None


def _number(parameter: Parameter, source: Source) -> int | float | None:
    numbers = [value for value in source.unused("number") if _fits(value.text, parameter.schema)]
    for value in numbers:
        near = [word for word in source.words if 0 <= word.start - value.end <= 2 or 0 <= value.start - word.end <= 4]
        cue = parameter.role == "most" and value.lead in ("top", "first", "most", "to", "last")
        if cue or any(word.stem in parameter.words or _same_start(word.stem, parameter.words) for word in near):
            return _as_number(source.take(value), parameter.schema)
    if parameter.required and not parameter.nullable and numbers:
        return _as_number(source.take(numbers[0]), parameter.schema)
    return None


def _same_start(word: str, words: frozenset[str]) -> bool:
    return len(word) > 3 and any(each.startswith(word) or word.startswith(each) for each in words if len(each) > 3)


def _fits(text: str, schema: Schema) -> bool:
    number = float(text)
    whole = number.is_integer() or schema.get("type") == "number"
    return whole and schema.get("minimum", number) <= number <= schema.get("maximum", number)


def _as_number(text: str, schema: Schema) -> int | float:
    number = float(text)
    return int(number) if schema.get("type") == "integer" or "." not in text else number


def _array(parameter: Parameter, source: Source) -> list[Any]:
    items: Schema = parameter.schema.get("items") or {}
    if items.get("enum"):
        return [value for value in items["enum"] if _of_enum([value], source) is not None]
    if items.get("type") in ("integer", "number"):
        return [_as_number(source.take(value), items) for value in source.unused("number") if _fits(value.text, items)]
    if items.get("type", "string") != "string":
        one = _object(items, source) if items.get("type") == "object" else None
        return [one] if one else []
    kinds: tuple[Kind, ...] = KINDS.get(parameter.role, ("quoted", "name", "file"))
    if found := [source.take(value) for value in source.unused(*kinds)]:
        return found
    said = free_text(source) if parameter.required else None
    return [each.strip() for each in re.split(r",|\band\b", said) if each.strip()] if said else []


def _object(schema: Schema, source: Source) -> dict[str, Any] | None:
    parameters = parameters_of(schema, schema.get("$root", schema))
    arguments = _arguments(parameters, source)
    if all(each.name in arguments for each in parameters if each.required):
        return arguments
    return None


def _variations(tool: Tool, arguments: dict[str, Any], source: Source) -> Iterator[dict[str, Any]]:
    """Give the arguments of one call for each value of a listing (Seoul and Paris), with what is said of it alone."""
    yield arguments
    listed = next(((each, value) for each in tool.parameters if (value := _chosen(each, arguments, source))), None)
    if listed is None:
        return
    parameter, last = listed
    for value in list(source.unused(last.kind)):
        if value.start < last.end:
            continue
        if not _continues(source, last.end, value.start):
            return
        end = next((later.start for later in source.unused(last.kind) if later.start > value.end), len(source.text))
        alone = Source(source.text[value.end : end], [], words_in(source.text[value.end : end]), source.own, False)
        enums = [each for each in tool.parameters if "enum" in each.schema]
        own = {each.name: said for each in enums if (said := _of_enum(each.schema["enum"], alone)) is not None}
        yield {**arguments, **own, parameter.name: value.text}
        last = value


def _chosen(parameter: Parameter, arguments: Mapping[str, Any], source: Source) -> Value | None:
    """Find the value in the text that a string parameter got, when it is one that texts list."""
    text = arguments.get(parameter.name)
    if not isinstance(text, str) or parameter.role in ("free", "from", "column"):
        return None
    return next(
        (value for value in source.values if value.text == text and value.kind in ("name", "file", "quoted")), None
    )


def _continues(source: Source, start: int, end: int) -> bool:
    """Say whether a listing goes on between two values: a connecting word or comma, and nothing that matters."""
    between = [word for word in source.words if start <= word.start and word.end <= end]
    connected = "," in source.text[start:end] or "&" in source.text[start:end] or "+" in source.text[start:end]
    connected = connected or any(word.text.casefold() in CONNECTORS for word in between)
    free = (word for word in between if source.free(word.start, word.end))
    return connected and all(is_little(word.stem) or source.is_own(word) or word.stem in VERBS for word in free)
