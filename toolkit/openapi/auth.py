"""Keys of an API: where the document says that they go, and nowhere else.

They are put on a request at the last moment, below the client (`sending.py`), so that no log of it, no exception and no
answer to the model holds them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, cast

from toolkit.errors import DefinitionError
from toolkit.openapi.document import Document

__all__ = ["Auth", "Keys", "Seal"]

Credential = str | tuple[str, str]
"""A key or token; a user and a password."""
Given = Credential | Mapping[str, Credential]
Auth = Given | Callable[[], Given] | None
"""One credential, or several by the names of the document's security schemes; or a function that gives them."""
LEAST = 4
"""Characters of a secret from which on it is struck from answers: shorter ones are found in every text."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a request gets beside what the model wrote; never shown."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def struck(self, text: str) -> str:
        """Take the secrets out of a text that may repeat them."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class Keys:
    """The credentials an app gives, by the document's security schemes."""

    def __init__(self, document: Document, auth: Auth) -> None:
        """Raises DefinitionError for credentials that have no place."""
        components = document.resolved(document.root.get("components"))
        schemes = document.resolved(components.get("securitySchemes"))
        self._schemes = {str(name): document.resolved(each) for name, each in schemes.items()}
        self._given = auth
        if auth is not None and not callable(auth):
            self._named(auth)

    @property
    def hidden(self) -> Collection[tuple[str, str]]:
        """Parameters that are keys where the app gives any: place, and name in lower case."""
        if self._given is None:
            return ()
        places = ((str(each.get("in")), str(each.get("name")).lower()) for each in self._schemes.values())
        return {place for place in places if place[0] in ("header", "query", "cookie")}

    def seal(self, security: tuple[frozenset[str], ...] | None) -> Seal:
        """Give what goes on a request of an operation. Raises DefinitionError for what a function gives wrongly."""
        given = self._given() if callable(self._given) else self._given
        if given is None:
            return Seal()
        named = self._named(given)
        headers: dict[str, str] = {}
        query: dict[str, str] = {}
        cookies: dict[str, str] = {}
        secrets: list[str] = []
        for name in _taken(security, named.keys()):
            where, key, value = _placed(name, self._schemes.get(name), named[name])
            {"header": headers, "query": query, "cookie": cookies}[where][key] = value
            credential = named[name]
            secrets += [value, value.rpartition(" ")[2], credential if isinstance(credential, str) else credential[1]]
        longest_first = sorted({each for each in secrets if len(each) >= LEAST}, key=len, reverse=True)
        return Seal(headers, query, cookies, tuple(longest_first))

    def _named(self, given: Given) -> Mapping[str, Credential]:
        """Give each credential by the scheme it is of; "" where the document has none for it, and says nothing."""
        if isinstance(given, Mapping):
            unknown = [name for name in given if name not in self._schemes]
            if unknown:
                known = ", ".join(self._schemes) or "none"
                raise DefinitionError(f"auth= names {unknown[0]!r}; the document's security schemes are {known}")
            named: Mapping[str, Credential] = given
        else:
            fitting = [name for name, each in self._schemes.items() if _fits(given, each)]
            if len(fitting) > 1:
                raise DefinitionError(
                    f"the document takes keys in several ways: say which, auth={{{fitting[0]!r}: ...}}; "
                    f"they are {', '.join(fitting)}"
                )
            named = {fitting[0] if fitting else "": given}
        for name, credential in named.items():
            _placed(name, self._schemes.get(name), credential)
        return named


def _taken(security: tuple[frozenset[str], ...] | None, given: Set[str]) -> Set[str]:
    """Choose the schemes for an operation: the first of its alternatives that the app has credentials for."""
    if security is None:
        return given
    fitting = next((each for each in security if each and each <= given), frozenset[str]())
    return fitting | ({""} & given if security else frozenset[str]())


def _fits(credential: Credential, scheme: Mapping[str, Any]) -> bool:
    is_basic = scheme.get("type") == "http" and str(scheme.get("scheme")).lower() == "basic"
    return is_basic is isinstance(credential, tuple)


def _placed(name: str, scheme: Mapping[str, Any] | None, credential: Credential) -> tuple[str, str, str]:
    """Say where a credential goes: place, name, value. Raises DefinitionError, without the credential."""
    kind, way = str((scheme or {}).get("type")), str((scheme or {}).get("scheme")).lower()
    if isinstance(credential, tuple):
        parts = cast("tuple[Any, ...]", credential)
        if len(parts) != 2 or not all(isinstance(each, str) for each in parts) or ":" in parts[0]:
            raise DefinitionError("auth=(user, password) takes two texts, the user's without a colon")
        if scheme is not None and (kind, way) != ("http", "basic"):
            raise DefinitionError(f"{name} takes no user and password: give one text")
        return "header", "Authorization", f"Basic {base64.b64encode(':'.join(parts).encode()).decode()}"
    if not isinstance(credential, str) or re.fullmatch(r"[\x21-\x7e]+", credential) is None:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DefinitionError(
            "auth= takes a key, a token or (user, password): plain ASCII without spaces and line breaks"
        )
    if kind == "apiKey":
        return str((scheme or {}).get("in")), str((scheme or {}).get("name")), credential
    if scheme is None or kind in ("oauth2", "openIdConnect") or (kind, way) == ("http", "bearer"):
        return "header", "Authorization", f"Bearer {credential}"
    wanted = "(user, password)" if way == "basic" else "a way that is not known here"
    raise DefinitionError(f"the document's security scheme {name} takes {wanted}")
