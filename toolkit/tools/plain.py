"""The arguments of a call as ONE pydantic object, which both validates them and gives their JSON Schema.

The object is a typed dictionary made with pydantic's hook for custom types, not a model: any name can be a parameter
(`schema`, `self`, `model_config`, `_x`), no configuration leaks into the types inside it, and validation gives the very
dictionary the function is called with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, TypeGuard

from pydantic import GetCoreSchemaHandler, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import CoreSchema, SchemaError, core_schema

from toolkit.errors import DefinitionError
from toolkit.tools.fields import Field

__all__ = ["Schema", "adapter", "inside", "is_list", "is_schema", "plain_schema", "target"]

Schema = dict[str, Any]

NULL_FOR_DEFAULT = {"null_for_default": True}
RULES = "x-unsayable"
"""Keyword under which the generator notes, in words, what the validator enforces beyond the schema."""

KEYS = "x-keys"
"""Keyword under which the generator keeps the schema of a mapping's keys."""


class _Arguments:
    """Metadata by which pydantic builds the dictionary of arguments."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        members: dict[str, core_schema.TypedDictField] = {}
        extras: CoreSchema | None = None
        for field in self._fields:
            try:
                schema = handler.generate_schema(field.type)
            except (PydanticUserError, NameError, TypeError, ImportError) as error:
                raise _cannot(field, error) from error
            if field.parameter.kind == "extra":
                extras = schema
                continue
            if not field.required:
                schema = core_schema.nullable_schema(schema, metadata=NULL_FOR_DEFAULT)
            members[field.parameter.name] = core_schema.typed_dict_field(
                schema, required=field.required, validation_alias=field.key
            )
        if extras is None:
            return core_schema.typed_dict_schema(members, extra_behavior="forbid")
        return core_schema.typed_dict_schema(members, extra_behavior="allow", extras_schema=extras)


def _cannot(field: Field, error: Exception) -> DefinitionError:
    """Say that pydantic has no idea of a parameter's type."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = lines[-1] if isinstance(error, SchemaError) else lines[0].partition(" Set `arbitrary")[0]
    name, reason = field.parameter.name, said.rstrip(".")
    if isinstance(error, ImportError) or getattr(error, "code", "") in (None, "typed-dict-version"):
        return DefinitionError(f"parameter `{name}`: {reason}")  # which says what to write, or to install, instead
    return DefinitionError(
        f"parameter `{name}` has a type that no model can fill in: {reason}. Write a type that pydantic knows, or take "
        "the object from the run: `ctx: RunContext[...]`, `ctx.deps`"
    )


def adapter(fields: Sequence[Field]) -> TypeAdapter[dict[str, Any]]:
    """Build the pydantic object. Raises DefinitionError naming the parameter that cannot be said."""
    try:
        return TypeAdapter(Annotated[dict[str, Any], _Arguments(fields)])
    except SchemaError as error:  # such as a pattern that is no regular expression
        if len(fields) == 1:
            raise _cannot(fields[0], error) from error
        for field in fields:
            adapter([field])
        raise


def plain_schema(built: TypeAdapter[dict[str, Any]], fields: Sequence[Field]) -> tuple[Schema, tuple[str, ...]]:
    """Generate the schema of the arguments, and the rules it cannot say, in words (`ids: unique items`)."""
    try:
        schema = built.json_schema(schema_generator=_Generator)
    except PydanticUserError as error:
        raise _culprit(fields, error) from error
    for definition in schema.get("$defs", {}).values():
        definition.pop("title", None)  # the class's name, which says nothing more than the reference to it
    for field in fields:
        name = field.key if isinstance(field.key, str) else field.parameter.name
        node = schema["properties"].get(name) if "properties" in schema else None
        if node is not None:
            node.update(field.annotations)
            node.update(field.json_default())
    schema.setdefault("properties", {})
    return schema, tuple(dict.fromkeys(_rules(schema, schema, "", set())))


def _culprit(fields: Sequence[Field], error: Exception) -> DefinitionError:
    for field in fields:
        try:
            adapter([field]).json_schema(schema_generator=_Generator)
        except PydanticUserError as its:
            return _cannot(field, its)
    return DefinitionError(str(error).partition("\n")[0])


def _rules(node: Schema, root: Schema, where: str, seen: set[str]) -> Iterator[str]:
    """Take the noted rules out of the schema, each said of the place it holds for."""
    if (keys := node.pop(KEYS, None)) is not None:
        _say_keys(node, keys, root)
    for words in node.pop(RULES, ()):
        yield f"{where}: {words}" if where else words
    if tag := node.get("discriminator", {}).get("propertyName"):
        _require(tag, node["oneOf"], root)
    for keyword in [each for each, value in node.items() if isinstance(value, float) and not math.isfinite(value)]:
        del node[keyword]  # a bound or default at infinity, which JSON cannot say
    reference = node.get("$ref")
    if reference is not None and reference not in seen:
        seen.add(reference)
        yield from _rules(target(node, root), root, where, seen)
    for part, step in inside(node):
        yield from _rules(part, root, f"{where}{step}" if step.startswith("[") or where else step.lstrip("."), seen)


def _require(tag: str, branches: Sequence[Schema], root: Schema) -> None:
    """Make the tag of a union required in each branch: without it no branch is found, whatever its default."""
    for branch in branches:
        said = target(branch, root) if "$ref" in branch else branch
        if tag in said.get("properties", {}) and tag not in said.get("required", ()):
            said["required"] = [*said.get("required", ()), tag]


def _say_keys(node: Schema, keys: Schema, root: Schema) -> None:
    """Say what names a mapping takes. pydantic leaves numbers unsaid, and names that do not match a pattern free."""
    if patterns := node.pop("patternProperties", None):
        (node["additionalProperties"],) = patterns.values()
    node.pop("propertyNames", None)
    said = target(keys, root) if "$ref" in keys else keys
    names: Schema = {}
    rules = list(said.get(RULES, ()))
    choices = said.get("enum", [said["const"]] if "const" in said else None)
    if choices is not None:
        names = {"enum": [str(each) for each in choices]}
        rules += ["not text"] if any(not isinstance(each, str) for each in choices) else []
    elif said.get("type") == "integer":
        names = {"pattern": "^-?[0-9]+$"}
        rules += [f"{bound} {said[bound]}" for bound in ("minimum", "maximum") if bound in said]
    elif said.get("type") == "string":
        names = {key: value for key, value in said.items() if key not in ("type", "title", "description", RULES)}
    elif said:
        rules.append(f"of type {said.get('type', 'more than one')}")
    node.update({"propertyNames": names} if names else {})
    node[RULES] = [*node.get(RULES, ()), *(f"keys {rule}" for rule in rules)]


def inside(node: Mapping[str, Any]) -> Iterator[tuple[Schema, str]]:
    """Go through the schemas directly inside one, each with the step that leads to it (`.name`, `[]`, or none)."""
    for name, part in node.get("properties", {}).items():
        yield part, f".{name}"
    for keyword, step in (("items", "[]"), ("additionalProperties", "{}"), ("propertyNames", "{}")):
        if is_schema(part := node.get(keyword)):
            yield part, step
    for part in node.get("patternProperties", {}).values():
        yield part, "{}"
    for keyword, step in (("prefixItems", "[]"), ("anyOf", ""), ("oneOf", ""), ("allOf", "")):
        for part in node.get(keyword, ()):
            yield part, step


def is_schema(part: object) -> TypeGuard[Schema]:
    """Tell a schema from the other things that stand in its place: True, False, nothing."""
    return isinstance(part, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Tell a JSON array."""
    return isinstance(value, list)


def target(node: Mapping[str, Any], root: Mapping[str, Any]) -> Schema:
    """Look up what a `$ref` refers to."""
    found: Schema = root["$defs"][node["$ref"].rpartition("/")[2]]
    return found


def _bounds(schema: Mapping[str, Any]) -> list[str]:
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    return [f"{said} {schema[key]}" for key, said in words.items() if schema.get(key) is not None]


class _Generator(GenerateJsonSchema):
    """pydantic's generator without made-up titles, which also notes what JSON Schema leaves out."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012  so is it declared in pydantic
        "non-serializable-default",
        "skipped-choice",
    }

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> Schema:
        if schema.get("metadata") == NULL_FOR_DEFAULT:
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def enum_schema(self, schema: core_schema.EnumSchema) -> Schema:
        members = list({id(each): each for each in schema["members"]}.values())  # without further names for the same
        if schema["cls"]._missing_.__func__ is Enum._missing_.__func__:  # type: ignore[attr-defined]  # a class method
            _check_choices(members, [each.value for each in members])
        return super().enum_schema({**schema, "members": members})

    def literal_schema(self, schema: core_schema.LiteralSchema) -> Schema:
        _check_choices(schema["expected"], schema["expected"])
        return super().literal_schema(schema)

    def is_subclass_schema(self, schema: core_schema.IsSubclassSchema) -> Schema:
        return self.handle_invalid_for_json_schema(schema, f"core_schema.IsSubclassSchema ({schema['cls']})")

    def str_schema(self, schema: core_schema.StringSchema) -> Schema:
        stripped = schema.get("strip_whitespace") and schema.get("min_length")
        return _noting(super().str_schema(schema), ["space around it does not count"] if stripped else [])

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Schema:
        node = super().decimal_schema(schema)
        for branch in node.get("anyOf", ()):
            if branch.get("type") == "string":
                branch["pattern"] = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
        counts = {key: schema.get(key) for key in ("multiple_of", "max_digits", "decimal_places")}
        rules = [f"{key.replace('_', ' ')} {count}" for key, count in counts.items() if count is not None]
        return _noting(node, [*_bounds(schema), *rules])

    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        node = super().dict_schema(schema)
        return {**node, KEYS: self.generate_inner(schema["keys_schema"])} if "keys_schema" in schema else node

    def date_schema(self, schema: core_schema.DateSchema) -> Schema:
        return _noting(super().date_schema(schema), _temporal(schema))

    def time_schema(self, schema: core_schema.TimeSchema) -> Schema:
        return _noting(super().time_schema(schema), _temporal(schema))

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> Schema:
        return _noting(super().datetime_schema(schema), _temporal(schema))

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> Schema:
        return _noting(super().timedelta_schema(schema), _temporal(schema))

    def complex_schema(self, schema: core_schema.ComplexSchema) -> Schema:
        return _noting(super().complex_schema(schema), ["a complex number, such as 1+2j"])

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> Schema:
        return _noting(super().function_before_schema(schema), _check(schema))

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> Schema:
        return _noting(super().function_after_schema(schema), _check(schema))

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> Schema:
        return _noting(super().function_wrap_schema(schema), _check(schema))

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> Schema:
        return _noting(super().function_plain_schema(schema), _check(schema))


def _check_choices(choices: Sequence[Any], values: Sequence[Any]) -> None:
    """Refuse choices that validation never finds in JSON, though pydantic shows them as if it did."""
    for choice, value in zip(choices, values, strict=True):
        if not (value is None or isinstance(value, str | int | float)):
            raise PydanticUserError(
                f"nothing in JSON equals its choice {choice!r}; write text or numbers, and in place of a plain Enum in "
                "a Literal a StrEnum or IntEnum",
                code=None,
            )


def _noting(node: Schema, rules: Sequence[str]) -> Schema:
    return {**node, RULES: [*node.get(RULES, ()), *rules]} if rules else node


def _temporal(schema: Mapping[str, Any]) -> list[str]:
    rules = _bounds(schema)
    if schema.get("now_op"):
        rules.append(f"in the {schema['now_op']}")
    if (zone := schema.get("tz_constraint")) is not None:
        rules.append({"aware": "with a time zone", "naive": "without a time zone"}.get(zone, f"at UTC offset {zone} s"))
    return rules


def _check(schema: Mapping[str, Any]) -> list[str]:
    """Name a validator function of the user's; pydantic's own make up its types, and say no more than these do."""
    function = schema["function"]["function"]
    function = getattr(function, "func", function)  # of a partial
    if str(getattr(function, "__module__", "")).partition(".")[0] in ("pydantic", "pydantic_core"):
        return []
    return [f"checked by {getattr(function, '__name__', type(function).__name__)}"]
