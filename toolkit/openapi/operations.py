"""The operations of a document: what each is called, what it takes, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast

from toolkit.errors import DefinitionError
from toolkit.openapi.document import Document
from toolkit.openapi.schemas import Schemas

__all__ = ["Body", "Operation", "Parameter", "operations"]

METHODS: Final = ("get", "put", "post", "delete", "patch")
"""Those whose answer tells something; `head`, `options` and `trace` are left out."""
PLACES: Final = ("path", "query", "header", "cookie")
STYLES: Final = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
NOT_OURS: Final = re.compile(
    r"accept|content-type|authorization|host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade"
    r"|expect|cookie|(proxy|sec)-.*",
    re.IGNORECASE,
)
"""Headers that are no parameters: OpenAPI says so of the first three, and the others carry the request itself."""
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
LONGEST, LONGEST_TEXT = 64, 1024


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    argument: str
    """What the model calls it; mostly its name."""
    name: str
    place: str
    """`path`, `query`, `header` or `cookie`."""
    style: str
    explode: bool
    allow_reserved: bool = False
    is_json: bool = False
    """Whether it is sent as JSON, `content` in place of `schema`."""


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation takes as its body."""

    argument: str
    media_type: str
    files: Mapping[str, bool]
    """The members of a multipart body that are files, and whether they are written in base64."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation, ready to become a tool."""

    name: str
    description: str
    method: str
    server: str | None
    """Where it goes; None where the document does not say."""
    path: str
    """Its template, `/users/{id}`."""
    parameters: tuple[Parameter, ...]
    body: Body | None
    schema: Mapping[str, Any]
    """JSON Schema of the arguments."""
    security: tuple[frozenset[str], ...] | None
    """The names of the keys that it takes, in alternatives; None where nothing is said, empty where it takes none."""


def operations(
    document: Document, only: Collection[str] | None, hidden: Collection[tuple[str, str]], longest: int = LONGEST
) -> list[Operation]:
    """Read the operations, or those named: by operationId, by the tool's name, or as `GET /path`.

    `hidden` are parameters (place, name in lower case) that are keys, and none of the model's; `longest` is how many
    characters a name may have. Raises DefinitionError.
    """
    found = list(_found(document, is_some=only is not None))
    names = _names([_wished_name(*each) for each in found], longest)
    keys = [
        {name, str(operation.get("operationId")), f"{method.upper()} {path}"}
        for name, (path, method, _, operation) in zip(names, found, strict=True)
    ]
    unknown = [name for name in only or () if not any(name in known for known in keys)]
    if unknown:
        raise DefinitionError(f"the document has no operation {unknown[0]!r}; it has {', '.join(names) or 'none'}")
    taken = [at for at in range(len(found)) if only is None or keys[at] & set(only)]
    return [_operation(document, names[at], *found[at], hidden) for at in taken]


_Found = tuple[str, str, Mapping[str, Any], Mapping[str, Any]]
"""Path, method, the path's item, the operation."""


def _found(document: Document, *, is_some: bool) -> Iterator[_Found]:
    for path, given in document.root["paths"].items():
        if not str(path).startswith("/"):
            continue  # an extension, x-...
        try:
            item = document.resolved(given)
        except DefinitionError:
            if not is_some:
                raise
            continue  # what stands elsewhere is none of those that are named
        for method in METHODS:
            if isinstance(item.get(method), dict):
                yield str(path), method, item, cast("Mapping[str, Any]", item[method])


def _wished_name(path: str, method: str, item: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    said = operation.get("operationId")
    return said if isinstance(said, str) and said else f"{method}{path.rstrip('/')}".replace("{", "").replace("}", "")


def _names(wished: list[str], longest: int) -> list[str]:
    """Give names that models may call, each its own."""
    names: dict[str, None] = {}
    for wish in wished:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", wish).strip("_") or "call"
        if len(name) > longest or name in names:
            name = f"{name[: max(longest - 9, 1)]}_{sha256(f'{wish} {len(names)}'.encode()).hexdigest()[:8]}"
        names[name] = None
    return list(names)


def _operation(
    document: Document,
    name: str,
    path: str,
    method: str,
    item: Mapping[str, Any],
    said: Mapping[str, Any],
    hidden: Collection[tuple[str, str]],
) -> Operation:
    schemas = Schemas(document)
    try:
        parts, properties, required = _parameters(document, schemas, item, said, hidden)
        body = _body(document, schemas, said, properties, required)
    except RecursionError:
        raise DefinitionError(f"{name}: its schemas are nested too deeply") from None
    except DefinitionError as error:
        raise DefinitionError(f"{name}: {error}") from error
    missing = set(re.findall(r"\{([^{}]*)\}", path)) - {each.name for each in parts if each.place == "path"}
    if missing:
        raise DefinitionError(f"{name}: {path} has {', '.join(sorted(missing))}, and no such path parameter")
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    schema |= {"required": required} if required else {}
    schema |= {"$defs": schemas.definitions} if schemas.definitions else {}
    server = document.server(said, item, document.root)
    security = _security(said.get("security", document.root.get("security")))
    return Operation(name, _description(said), method, server, path, tuple(parts), body, schema, security)


def _parameters(
    document: Document,
    schemas: Schemas,
    item: Mapping[str, Any],
    said: Mapping[str, Any],
    hidden: Collection[tuple[str, str]],
) -> tuple[list[Parameter], dict[str, Any], list[str]]:
    given: dict[tuple[str, str], Mapping[str, Any]] = {}
    for each in (*_list(item.get("parameters")), *_list(said.get("parameters"))):
        one = document.resolved(each)
        place, name = str(one.get("in")), str(one.get("name"))
        is_ours = place != "header" or (NOT_OURS.fullmatch(name) is None and TOKEN.fullmatch(name) is not None)
        if place in PLACES and (place, name.lower()) not in hidden and is_ours:
            given[(place, name)] = one
    parts: list[Parameter] = []
    properties: dict[str, Any] = {}
    required: list[str] = []
    for (place, name), one in given.items():
        argument = _argument(name, place, properties)
        content = cast("Mapping[str, Any]", one.get("content") or {})
        node = document.resolved(next(iter(content.values()))).get("schema") if content else one.get("schema")
        schema = schemas.said(node) if node is not None else {"type": "string"}
        properties[argument] = _described(schema, one)
        if one.get("required") is True or place == "path":
            required.append(argument)
        style = str(one.get("style", STYLES[place]))
        explode = bool(one.get("explode", style == "form"))
        parts.append(Parameter(argument, name, place, style, explode, bool(one.get("allowReserved")), bool(content)))
    return parts, properties, required


def _body(
    document: Document, schemas: Schemas, said: Mapping[str, Any], properties: dict[str, Any], required: list[str]
) -> Body | None:
    given = document.resolved(said.get("requestBody"))
    content = cast("Mapping[str, Any]", given.get("content") or {})
    if not content:
        return None
    media_type = min(content, key=lambda each: (_rank(each), list(content).index(each)))
    node = document.resolved(content[media_type]).get("schema")
    argument = _argument("body", "request", properties)
    schema = schemas.said(node) if node is not None and _rank(media_type) < len(READ) else {"type": "string"}
    properties[argument] = _described(schema, given)
    if given.get("required") is True:
        required.append(argument)
    inner = document.resolved(node).get("properties")
    files: dict[str, bool] = {}
    for name, part in cast("Mapping[str, Any]", inner if isinstance(inner, dict) else {}).items():
        one = document.resolved(part)
        in_base64 = one.get("format") == "byte" or one.get("contentEncoding") == "base64"
        if in_base64 or one.get("format") == "binary" or "contentMediaType" in one:
            files[name] = in_base64
    return Body(argument, media_type.partition(";")[0].strip().lower(), files)


READ: Final = (r"application/json", r".*[/+]json", r"application/x-www-form-urlencoded", r"multipart/form-data")
"""Media types whose schema says what the body is, the best first; of any other the model writes the text itself."""


def _rank(media_type: str) -> int:
    bare = media_type.partition(";")[0].strip().lower()
    return next((at for at, each in enumerate(READ) if re.fullmatch(each, bare)), len(READ))


def _argument(name: str, place: str, taken: Mapping[str, Any]) -> str:
    """Name an argument: as the parameter is called, with its place where two are called alike."""
    said = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:LONGEST] or "_"
    while said in taken:
        said = f"{place}_{said}"[:LONGEST] if not said.startswith(f"{place}_") else f"{said[: LONGEST - 1]}_"
    return said


def _described(schema: Any, given: Mapping[str, Any]) -> object:
    """Put what is said of a parameter on its schema; it speaks of this use, the schema of all uses."""
    text = str(given.get("description") or "").strip()
    text = f"Deprecated. {text}".strip() if given.get("deprecated") is True else text
    return {**cast("dict[str, Any]", schema), "description": text} if text and isinstance(schema, dict) else schema


def _description(said: Mapping[str, Any]) -> str:
    texts = [str(said.get(key) or "").strip() for key in ("summary", "description")]
    text = "\n\n".join(dict.fromkeys(each for each in texts if each))
    text = f"Deprecated. {text}".strip() if said.get("deprecated") is True else text
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."


def _security(given: object) -> tuple[frozenset[str], ...] | None:
    if not isinstance(given, list):
        return None
    alternatives = cast("list[object]", given)
    return tuple(frozenset(map(str, cast("dict[str, Any]", each))) for each in alternatives if isinstance(each, dict))


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
