"""What is wrong with a request, in the API's words: a pydantic ValidationError becomes one `Refused`.

The texts and codes are those the hosted service gives on its endpoints ("Missing required parameter: 'model'.", code
`missing_required_parameter`); `param` is the path of the field ("tools[0].function.name").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from toolkit.errors import Refused

__all__ = ["MOST_FAULTS", "only_unknown_fields", "path_of", "refusal", "unknown_fields"]

MOST_FAULTS: Final = 1000
"""From here on faults are only counted: a few megabytes can hold so many that to list them takes a gigabyte."""

_PLAIN: Final[Mapping[str, str]] = {"string": "a string", "array": "an array"}
"""The shapes of a union that are no objects, by their tags."""


def refusal(error: ValidationError) -> Refused:
    """Word the first thing that is wrong."""
    if error.error_count() > MOST_FAULTS:
        return Refused(f"Invalid request body: {error.error_count()} things are wrong with it.", code="invalid_value")
    detail = error.errors(include_url=False)[0]
    path = path_of(detail["loc"])
    return _WORDING.get(detail["type"], _other)(path, detail)


def unknown_fields(error: ValidationError) -> Sequence[str]:
    """List the paths of the fields that the API does not know."""
    return [path_of(detail["loc"]) for detail in error.errors(include_url=False) if detail["type"] == "extra_forbidden"]


def only_unknown_fields(error: ValidationError) -> bool:
    """Whether the request would do without its unknown fields."""
    if error.error_count() > MOST_FAULTS:
        return False
    return all(detail["type"] == "extra_forbidden" for detail in error.errors(include_url=False))


def path_of(loc: Sequence[int | str]) -> str:
    """Write down where in a request something is: "tools[0].function.name"."""
    path = ""
    for place in loc:
        if isinstance(place, int):
            path += f"[{place}]"
        elif not place.startswith("#"):  # a tag of a union, see fields.py
            path += f".{place}" if path else place
    return path


def _kind(value: Any) -> str:
    """Name the JSON type of a value, with its article where one belongs."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a decimal number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _list(values: Sequence[str]) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _context(detail: ErrorDetails) -> Mapping[str, Any]:
    return detail.get("ctx", {})


def _other(path: str, detail: ErrorDetails) -> Refused:
    return Refused(f"Invalid value for '{path}': {detail['msg']}.", param=path or None, code="invalid_value")


def _refused(path: str, detail: ErrorDetails) -> Refused:
    """Pass on what a validator of ours worded."""
    context = _context(detail)
    return Refused(context["message"], param=path + context["below"], code=context["code"])


def _not_json(path: str, detail: ErrorDetails) -> Refused:
    return Refused(
        "We could not parse the JSON body of your request. The Assistants API expects a JSON object, but what was sent "
        f"was not valid JSON: {_context(detail)['error']}."
    )


def _missing(path: str, detail: ErrorDetails) -> Refused:
    return Refused(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def _unknown(path: str, detail: ErrorDetails) -> Refused:
    return Refused(f"Unknown parameter: '{path}'.", param=path, code="unknown_parameter")


def _typed(expected: str) -> Callable[[str, ErrorDetails], Refused]:
    def word(path: str, detail: ErrorDetails) -> Refused:
        got = _kind(detail["input"])
        if not path:
            return Refused(f"Invalid request body: expected {expected}, but got {got} instead.", code="invalid_type")
        text = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
        return Refused(text, param=path, code="invalid_type")

    return word


def _supported(path: str, value: str, supported: Sequence[str]) -> Refused:
    text = f"Invalid value: '{value}'. Supported values are: {_list(supported)}."
    return Refused(text, param=path, code="invalid_value")


def _literal(path: str, detail: ErrorDetails) -> Refused:
    expected = str(_context(detail)["expected"])
    choices = [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]
    if not isinstance(detail["input"], str):
        return _typed(f"one of {_list(choices)}")(path, detail)
    return _supported(path, detail["input"], choices)


def _tag(path: str, detail: ErrorDetails) -> Refused:
    """Word what is none of the shapes that a union has: `fields.by_type` gives them their tags."""
    tags = [tag.strip().strip("'#") for tag in _context(detail)["expected_tags"].split(",")]
    kinds = [tag for tag in tags if tag not in _PLAIN]
    value: Any = detail["input"]
    if not isinstance(value, dict) or not kinds:
        shapes = [_PLAIN[tag] for tag in tags if tag in _PLAIN]
        return _typed(" or ".join([*shapes, "an object"] if kinds else shapes))(path, detail)
    kind: Any = value.get("type")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - any JSON
    if kind is None:
        return _missing(f"{path}.type", detail)
    if isinstance(kind, str):
        return _supported(f"{path}.type", kind, kinds)
    return Refused(
        f"Invalid type for '{path}.type': expected a string, but got {_kind(kind)} instead.",
        param=f"{path}.type",
        code="invalid_type",
    )


def _long_string(path: str, detail: ErrorDetails) -> Refused:
    most, got = _context(detail)["max_length"], len(detail["input"])
    return Refused(
        f"Invalid '{path}': string too long. Expected a string with maximum length {most}, but got a string with "
        f"length {got} instead.",
        param=path,
        code="string_above_max_length",
    )


def _short_string(path: str, detail: ErrorDetails) -> Refused:
    least = _context(detail)["min_length"]
    return Refused(
        f"Invalid '{path}': empty string. Expected a string with minimum length {least}, but got an empty string "
        "instead.",
        param=path,
        code="empty_string",
    )


def _pattern(path: str, detail: ErrorDetails) -> Refused:
    return Refused(
        f"Invalid '{path}': string does not match pattern. Expected a string that matches the pattern "
        f"'{_context(detail)['pattern']}'.",
        param=path,
        code="invalid_value",
    )


def _long_array(path: str, detail: ErrorDetails) -> Refused:
    most, got = _context(detail)["max_length"], len(detail["input"])
    return Refused(
        f"Invalid '{path}': array too long. Expected an array with maximum length {most}, but got an array with "
        f"length {got} instead.",
        param=path,
        code="array_above_max_length",
    )


def _short_array(path: str, detail: ErrorDetails) -> Refused:
    least = _context(detail)["min_length"]
    return Refused(
        f"Invalid '{path}': empty array. Expected an array with minimum length {least}, but got an empty array "
        "instead.",
        param=path,
        code="empty_array",
    )


def _bounded(word: str, sign: str, key: str) -> Callable[[str, ErrorDetails], Refused]:
    def refuse(path: str, detail: ErrorDetails) -> Refused:
        bound = _context(detail)[key]
        kind = "integer" if isinstance(bound, int) else "decimal"
        way = "above maximum" if word == "above_max" else "below minimum"
        limit = bound if isinstance(bound, int) else f"{bound:g}"
        return Refused(
            f"Invalid '{path}': {kind} {way} value. Expected a value {sign} {limit}, but got {detail['input']} "
            "instead.",
            param=path,
            code=f"{kind}_{word}_value",
        )

    return refuse


_WORDING: Final[Mapping[str, Callable[[str, ErrorDetails], Refused]]] = {
    "refused": _refused,
    "json_invalid": _not_json,
    "missing": _missing,
    "extra_forbidden": _unknown,
    "model_type": _typed("an object"),
    "model_attributes_type": _typed("an object"),
    "dict_type": _typed("an object"),
    "list_type": _typed("an array"),
    "string_type": _typed("a string"),
    "bool_type": _typed("a boolean"),
    "int_type": _typed("an integer"),
    "int_parsing": _typed("an integer"),
    "int_from_float": _typed("an integer"),
    "float_type": _typed("a number"),
    "finite_number": _typed("a finite number"),
    "scalar_type": _typed("a string, a number or a boolean"),
    "listed_type": _typed("a string or a number"),
    "literal_error": _literal,
    "union_tag_invalid": _tag,
    "string_too_long": _long_string,
    "string_too_short": _short_string,
    "string_pattern_mismatch": _pattern,
    "too_long": _long_array,
    "too_short": _short_array,
    "less_than_equal": _bounded("above_max", "<=", "le"),
    "greater_than_equal": _bounded("below_min", ">=", "ge"),
}
