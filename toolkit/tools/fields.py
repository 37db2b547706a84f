"""A parameter as pydantic takes it: its type without the parts that only a field may have, its texts, its default.

`Field(...)` may stand in `Annotated` or as the default. Either way it is taken apart here, so that the function never
receives a FieldInfo and what it says (description, default, alias, constraints) holds once.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, cast

from pydantic import AliasChoices, AliasPath
from pydantic import fields as pydantic_fields
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from toolkit.tools.signature import ABSENT, Parameter

__all__ = ["Field", "field"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Field:
    """One member of the arguments object."""

    parameter: Parameter
    type: Any
    """For pydantic: the type with its constraints and validators."""
    key: str | list[list[str | int]] | None
    """Where it stands in the JSON when that is not the parameter's name: `Field(alias=...)`."""
    default: Any
    """What is used when it is not given; ABSENT when it must be given, or is made by a factory."""
    fill: Callable[[dict[str, Any]], Any] | None
    """Makes the default that a `Field(...)` holds, from the other arguments; None when the function has its own."""
    annotations: Mapping[str, Any]
    """JSON Schema annotations: description, title, examples, deprecated, whatever json_schema_extra holds."""

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.parameter.required and self.fill is None

    def json_default(self) -> dict[str, Any]:
        """Say the default in JSON Schema, where JSON can."""
        if self.default is ABSENT:
            return {}
        try:
            value = to_jsonable_python(self.default)
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        except ValueError:  # no JSON for its type, infinity, half a character
            return {}
        return {"default": value}


def field(parameter: Parameter, said: str | None) -> Field:
    """Make a field of a parameter; `said` is what the docstring says of it, overruled by any text beside the type."""
    base, metadata = _split(parameter.annotation)
    default = parameter.default
    if isinstance(default, FieldInfo):
        metadata, default = (*metadata, default), ABSENT
        parameter = Parameter(parameter.name, parameter.kind, parameter.annotation)
    infos = [each for each in metadata if isinstance(each, FieldInfo)]
    fill = None
    if default is ABSENT and parameter.required:
        holder = next((each for each in reversed(infos) if not each.is_required()), None)
        if holder is not None:
            fill = _filler(holder)
            default = ABSENT if holder.default_factory else holder.default
    constraints = tuple(_constraints(metadata))
    return Field(
        parameter=parameter,
        type=Annotated[base, *constraints] if constraints else base,
        key=next((key for each in reversed(infos) if (key := _key(each)) is not None), None),
        default=default,
        fill=fill,
        annotations=_annotations(infos, _text(parameter.annotation) or said),
    )


def _split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if typing.get_origin(annotation) is Annotated:
        base, *metadata = typing.get_args(annotation)
        return base, tuple(metadata)
    return annotation, ()


def _constraints(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        if not isinstance(each, FieldInfo):
            if not isinstance(each, str):
                yield each
            continue
        yield from each.metadata
        if each.discriminator is not None:
            yield pydantic_fields.Field(discriminator=each.discriminator)


def _filler(holder: FieldInfo) -> Callable[[dict[str, Any]], Any]:
    return lambda values: holder.get_default(call_default_factory=True, validated_data=values)


def _key(each: FieldInfo) -> str | list[list[str | int]] | None:
    alias = each.validation_alias if each.validation_alias is not None else each.alias
    if isinstance(alias, AliasChoices):
        return alias.convert_to_aliases()
    return [alias.convert_to_aliases()] if isinstance(alias, AliasPath) else alias


def _annotations(infos: list[FieldInfo], text: str | None) -> Mapping[str, Any]:
    said: dict[str, Any] = {"description": text} if text else {}
    for each in infos:
        if each.description is not None:
            said["description"] = each.description
        if each.title is not None:
            said["title"] = each.title
        if each.examples is not None:
            said["examples"] = to_jsonable_python(each.examples)
        if each.deprecated:
            said["deprecated"] = True
        said.update(cast("dict[str, Any]", extra) if isinstance(extra := each.json_schema_extra, dict) else NOTHING)
    return said or NOTHING


def _text(annotation: Any) -> str | None:
    """Find `Annotated[..., "text"]` or `Annotated[..., Doc("text")]`, also in `Annotated[...] | None`."""
    try:
        while hasattr(annotation, "__value__"):  # type City = Annotated[...]
            annotation = annotation.__value__
    except NameError:  # of a type that is not there, which pydantic tells better
        return None
    if typing.get_origin(annotation) is Annotated:
        base, *metadata = typing.get_args(annotation)
        for each in metadata:
            text = each if isinstance(each, str) else getattr(each, "documentation", None)
            if isinstance(text, str) and not isinstance(each, FieldInfo):
                return text.strip()
        return _text(base)
    members = typing.get_args(annotation)
    if type(None) in members:
        return next((text for each in members if (text := _text(each))), None)
    return None
