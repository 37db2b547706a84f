"""An OpenAPI document: read from a file, a mapping or a URL, with its references and servers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from toolkit.errors import DefinitionError
from toolkit.openapi.fetching import MOST_BYTES, fetched
from toolkit.tools.fitting import pointed

__all__ = ["Document", "Source", "checked_base", "origin", "read"]

Source = str | os.PathLike[str] | Mapping[str, Any]
MOST_REFERENCES = 16
"""References that lead to references; more of them lead round in a ring."""
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Document:
    """A document, and where it was read from: what is relative in it is relative to that."""

    root: Mapping[str, Any]
    url: str | None = None

    @property
    def is_3_0(self) -> bool:
        """Whether its schemas are those of 3.0, a dialect; 3.1 has JSON Schema itself."""
        return str(self.root["openapi"]).startswith("3.0")

    def resolved(self, node: object) -> Mapping[str, Any]:
        """Give what a node is, or refers to. Raises DefinitionError where that is not in the document."""
        for _ in range(MOST_REFERENCES):
            if not isinstance(node, dict):
                return {}
            reference = cast("dict[str, Any]", node).get("$ref")
            if reference is None:
                return cast("dict[str, Any]", node)
            node = self.pointed(reference)
        raise DefinitionError("the document has a reference that leads back to itself")

    def pointed(self, reference: object) -> object:
        """Follow one reference. Raises DefinitionError as `resolved` does."""
        text = str(reference)
        if not text.startswith("#"):
            raise DefinitionError(
                f"the document refers to {text[:200]!r}, outside of itself: nothing is fetched for it. "
                "Put it all in one document, or leave out what needs it, only=[...]"
            )
        found = pointed(text, self.root)
        if found is None:
            raise DefinitionError(f"the document refers to {text[:200]!r}, which is not there")
        return found

    def server(self, *levels: Mapping[str, Any]) -> str | None:
        """Give the URL of the innermost level's first server, variables at their defaults; None where there is none.

        Raises DefinitionError for one that cannot be.
        """
        for level in levels:
            servers = level.get("servers")
            if isinstance(servers, list) and servers:
                first = self.resolved(cast("list[object]", servers)[0])
                variables = cast("Mapping[str, Any]", first.get("variables", {}))
                url = str(first.get("url", "/"))
                for name, variable in variables.items():
                    url = url.replace(f"{{{name}}}", str(self.resolved(variable).get("default", "")))
                return self._absolute(url)
        return self._absolute("/")

    def _absolute(self, url: str) -> str | None:
        if urlsplit(url).scheme:
            return checked_base(url)
        return checked_base(urljoin(self.url, url)) if self.url is not None else None


def checked_base(url: str) -> str:
    """Give a server's URL without a slash at its end. Raises DefinitionError for one that no request can go to."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good, parts = False, urlsplit("")
    if not is_good or parts.query or parts.fragment or re.search(r"[\s\\{}\x00-\x1f\x7f]", url):
        raise DefinitionError(
            f"{url[:200]!r} is no server's URL: give one with base_url=, such as https://api.example/v1"
        )
    if parts.username is not None or parts.password is not None:
        raise DefinitionError("a server's URL must hold no user and password: give them with auth=(user, password)")
    if any(step in (".", "..") for step in parts.path.split("/")):
        raise DefinitionError(f"{url[:200]!r} has steps up in its path: give the server with base_url=")
    return url.rstrip("/")


def origin(url: str) -> tuple[str, str, int]:
    """Give scheme, host and port of a URL: what may not change between a tool and where its requests go."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)


def read(source: Source) -> Document:
    """Read a document. Raises DefinitionError for what is none, ServerUnavailable for a URL that does not answer."""
    if isinstance(source, Mapping):
        return Document(_checked(dict(source), "the document"))
    place = os.fspath(source)
    if place.startswith(("http://", "https://")):
        url, text, kind = fetched(place)
        return Document(_checked(_parsed(text, url, is_yaml="yaml" in kind), url), url)
    path = Path(place)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DefinitionError(f"{path} is larger than {MOST_BYTES} bytes: no OpenAPI document is")
        text = path.read_bytes()
    except OSError as error:
        raise DefinitionError(f"{path} cannot be read: {error.strerror}") from error
    return Document(_checked(_parsed(text, str(path), is_yaml=path.suffix in (".yaml", ".yml")), str(path)))


def _parsed(text: bytes, place: str, *, is_yaml: bool) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if not is_yaml and text.lstrip()[:1] in (b"{", b"["):
            raise DefinitionError(f"{place} is no JSON: {error}") from error
    if find_spec("yaml") is None:
        raise DefinitionError(f"{place} is not JSON. To read YAML: pip install pyyaml. Or save it as JSON")
    yaml: Any = import_module("yaml")  # which has no types

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Dates stay the texts that JSON would have."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError(f"{place} is neither JSON nor YAML: {str(error).splitlines()[0]}") from error


def _checked(root: object, place: str) -> Mapping[str, Any]:
    said = cast("dict[str, Any]", root) if isinstance(root, dict) else {}
    version = str(said.get("openapi", said.get("swagger", "")))
    if not version:
        raise DefinitionError(f"{place} is no OpenAPI document: it does not begin with its version, `openapi`")
    if re.fullmatch(r"3\.[01](\.\d+)?(-.*)?", version) is None:
        raise DefinitionError(f"{place} is written in OpenAPI {version[:20]}; 3.0 and 3.1 are understood")
    if not isinstance(said.get("paths"), dict):
        raise DefinitionError(f"{place} has no paths, and so no operations")
    return said
