"""The types of request fields that several objects share: limits, tools, choices, metadata.

Limits and shapes are those of the Assistants API reference. Objects inside a request are TypedDicts: what was checked
is a plain dict, stored and returned as it was sent. Where a value may have several shapes, a tag that begins with "#"
says which one was meant, so that an error is about that shape alone; `invalid.py` drops the tags again.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

__all__ = [
    "GIVEN",
    "SHAPE",
    "CodeInterpreterTool",
    "Description",
    "FileSearchTool",
    "FunctionTool",
    "Instructions",
    "Listed",
    "Metadata",
    "ModelName",
    "Name",
    "ReasoningEffort",
    "Request",
    "ResponseFormat",
    "Scalar",
    "Temperature",
    "Tool",
    "ToolChoice",
    "Tools",
    "TopP",
    "TruncationStrategy",
    "by_type",
    "given",
    "refuse_field",
]

SHAPE: Final = ConfigDict(extra="forbid", strict=True)
"""How the objects inside a request are checked."""


class Request(BaseModel):
    """The body of a request: unknown fields are refused, and a string is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


def refuse_field(message: str, *, code: str | None = None, below: str = "") -> PydanticCustomError:
    """Make the error of a validator whose text the API words itself; `below` names a place inside the field (".k")."""
    return PydanticCustomError("refused", "{message}", {"message": message, "code": code, "below": below})


def by_type(value: Any) -> str:
    """Tag an object by its `type`, a string as "#string", a list as "#array"; no union has the tags of all else."""
    if isinstance(value, dict):
        kind = value.get("type")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - any JSON
        return f"#{kind}" if isinstance(kind, str) else "#untyped"
    return "#string" if isinstance(value, str) else "#array" if isinstance(value, list) else "#other"


def given(value: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null, which means not given."""
    return {name: each for name, each in value.items() if each is not None}


GIVEN: Final = AfterValidator(given)
"""Makes an object inside a request one without nulls."""


# Texts and numbers


def _scalar(value: Any) -> Any:
    if isinstance(value, (str, int)):  # a boolean is an int
        return value
    if not isinstance(value, float):
        raise PydanticCustomError("scalar_type", "no string, number or boolean")
    if not isfinite(value):
        raise PydanticCustomError("finite_number", "not finite")
    return value


def _listed(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise PydanticCustomError("listed_type", "no string or number")
    return _scalar(value)


Scalar = Annotated[str | bool | int | float, BeforeValidator(_scalar)]
"""A string, a number or a boolean. (A union of pydantic's own would tell of each of them.)"""
Listed = Annotated[str | int | float, BeforeValidator(_listed)]
"""A string or a number, in a list of values to compare with."""

Name = Annotated[str, Field(max_length=256)]
Description = Annotated[str, Field(max_length=512)]
Instructions = Annotated[str, Field(max_length=256_000)]
ModelName = Annotated[str, Field(min_length=1)]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
TopP = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

# Metadata


def _metadata(value: Any) -> Any:
    if not isinstance(value, dict):
        return value  # refused as no object
    for key, text in value.items():  # pyright: ignore[reportUnknownVariableType] - any JSON
        if len(key) > 64:  # pyright: ignore[reportUnknownArgumentType]
            raise refuse_field(
                f"Invalid property name in 'metadata': '{key}' is too long. Expected a string with maximum length 64, "
                f"but got a string with length {len(key)} instead.",  # pyright: ignore[reportUnknownArgumentType]
                code="string_above_max_length",
                below=f".{key}",
            )
        if isinstance(text, str) and len(text) > 512:
            raise refuse_field(
                f"Invalid 'metadata.{key}': string too long. Expected a string with maximum length 512, but got a "
                f"string with length {len(text)} instead.",
                code="string_above_max_length",
                below=f".{key}",
            )
    if len(value) > 16:  # pyright: ignore[reportUnknownArgumentType]
        raise refuse_field(
            "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object "
            f"with {len(value)} properties instead.",  # pyright: ignore[reportUnknownArgumentType]
            code="object_above_max_properties",
        )
    return value  # pyright: ignore[reportUnknownVariableType]


Metadata = Annotated[dict[str, str], BeforeValidator(_metadata)]

# Tools


def _finite(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise refuse_field("NaN and Infinity are no JSON.", code="invalid_value") from None
    return value


JsonSchema = Annotated[dict[str, Any], AfterValidator(_finite)]


@with_config(SHAPE)
class _Function(TypedDict):
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    description: NotRequired[str | None]
    parameters: NotRequired[JsonSchema | None]
    strict: NotRequired[bool | None]


@with_config(SHAPE)
class FunctionTool(TypedDict):
    """A function of the application."""

    type: Literal["function"]
    function: _Function


@with_config(SHAPE)
class CodeInterpreterTool(TypedDict):
    """The hosted Python session."""

    type: Literal["code_interpreter"]


@with_config(SHAPE)
class _RankingOptions(TypedDict):
    ranker: NotRequired[Literal["auto", "default_2024_08_21"] | None]
    score_threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


@with_config(SHAPE)
class _FileSearch(TypedDict):
    max_num_results: NotRequired[Annotated[int, Field(ge=1, le=50)] | None]
    ranking_options: NotRequired[Annotated[_RankingOptions, GIVEN] | None]


@with_config(SHAPE)
class FileSearchTool(TypedDict):
    """Search in vector stores."""

    type: Literal["file_search"]
    file_search: NotRequired[Annotated[_FileSearch, GIVEN] | None]


def _as_returned(tool: dict[str, Any]) -> dict[str, Any]:
    """Give a tool as it will be returned: nulls mean not given, and a function says whether it is strict."""
    tool = given(tool)
    if "function" in tool:
        tool["function"] = given(tool["function"])
        tool["function"].setdefault("strict", False)
    return tool


Tool = Annotated[
    Annotated[FunctionTool, Tag("#function")]
    | Annotated[CodeInterpreterTool, Tag("#code_interpreter")]
    | Annotated[FileSearchTool, Tag("#file_search")],
    Discriminator(by_type),
    AfterValidator(_as_returned),
]
Tools = Annotated[list[Tool], Field(max_length=128)]


@with_config(SHAPE)
class _FunctionName(TypedDict):
    name: str


@with_config(SHAPE)
class _ChosenFunction(TypedDict):
    type: Literal["function"]
    function: _FunctionName


@with_config(SHAPE)
class _ChosenTool(TypedDict):
    type: Literal["code_interpreter", "file_search"]


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("#string")]
    | Annotated[_ChosenFunction, Tag("#function")]
    | Annotated[_ChosenTool, Tag("#code_interpreter")]
    | Annotated[_ChosenTool, Tag("#file_search")],
    Discriminator(by_type),
]

# How to answer


@with_config(SHAPE)
class _PlainFormat(TypedDict):
    type: Literal["text", "json_object"]


@with_config(SHAPE)
class _NamedSchema(TypedDict):
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    description: NotRequired[str | None]
    schema: NotRequired[JsonSchema | None]
    strict: NotRequired[bool | None]


@with_config(SHAPE)
class _SchemaFormat(TypedDict):
    type: Literal["json_schema"]
    json_schema: Annotated[_NamedSchema, GIVEN]


ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag("#string")]
    | Annotated[_PlainFormat, Tag("#text")]
    | Annotated[_PlainFormat, Tag("#json_object")]
    | Annotated[_SchemaFormat, Tag("#json_schema")],
    Discriminator(by_type),
]


@with_config(SHAPE)
class _Truncation(TypedDict):
    type: Literal["auto", "last_messages"]
    last_messages: NotRequired[Annotated[int, Field(ge=1)] | None]


def _counted(value: _Truncation) -> _Truncation:
    """Refuse a number that would be passed over, and the want of one."""
    number, wanted = value.get("last_messages"), value["type"] == "last_messages"
    if wanted and number is None:
        raise refuse_field(
            "Missing required parameter: 'truncation_strategy.last_messages'.",
            code="missing_required_parameter",
            below=".last_messages",
        )
    if number is not None and not wanted:
        raise refuse_field(
            "Invalid 'truncation_strategy.last_messages': it is taken with the type 'last_messages' alone, but the "
            f"type is '{value['type']}'.",
            code="invalid_value",
            below=".last_messages",
        )
    return value


TruncationStrategy = Annotated[_Truncation, AfterValidator(_counted)]
"""Which messages of a thread go to the model."""
