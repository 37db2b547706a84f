"""Take secrets out of what is written down, and see to it that the same request looks the same each time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, urlencode

from toolkit.testing.links import Sent

__all__ = ["HEADERS", "SCRUBBED", "Scrub", "own_secrets"]

SCRUBBED: Final = "[scrubbed]"
HEADERS: Final = frozenset(
    {
        "content-type",
        "date",
        "openai-poll-after-ms",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-idempotency-key",
        "x-request-id",
        "x-should-retry",
    }
)
"""All headers of answers that are kept: no cookie, organisation or key can be in others. None of requests is."""

_SECRETS = (
    r"\bsk-[A-Za-z0-9_-]{8,}",
    r"\b(?i:bearer|basic) [A-Za-z0-9._~+/=-]{8,}",
    r"\borg-[A-Za-z0-9]{8,}",
    r"\bproj_[A-Za-z0-9]{8,}",
)
_MEMBERS = re.compile(
    r"(proxy-)?authorization|(set-)?cookie|(x-)?api[-_]?key|(access|refresh|auth)[-_]?token|password|(client[-_]?)?secret"
    r"|openai-(organization|project)",
    re.IGNORECASE,
)
_QUERY = re.compile(rf"{_MEMBERS.pattern}|key|token|sig|signature|code", re.IGNORECASE)
_SHORTEST: Final = 12
"""What is shorter is no key, and may be a word of any text."""


class Scrub:
    """Scrubs texts, JSON, paths and bodies. `secrets` are further ones: texts as they are, or compiled patterns."""

    def __init__(self, secrets: Iterable[str | re.Pattern[str]] = ()) -> None:
        more = [one.pattern if isinstance(one, re.Pattern) else re.escape(one) for one in secrets if one]
        self._pattern = re.compile("|".join([*more, *_SECRETS]))

    def text(self, text: str) -> str:
        """Scrub a text."""
        return self._pattern.sub(SCRUBBED, text)

    def json(self, value: object, *, without: Collection[str] = ()) -> Any:
        """Scrub all texts of a JSON value, and whatever is called like a secret; leave members `without` out."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(one, without=without) for one in cast("list[object]", value)]
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            return {
                self.text(name): SCRUBBED
                if isinstance(one, str) and _MEMBERS.fullmatch(name)
                else self.json(one, without=without)
                for name, one in members.items()
                if name not in without
            }
        return value

    def event(self, event: str) -> str:
        """Scrub an event of a stream."""
        head, _, data = event.partition("data: {")
        try:
            said = json.loads("{" + data)
        except ValueError:
            return self.text(event)
        scrubbed = self.json(said)
        return event if scrubbed == said else f"{head}data: {json.dumps(scrubbed)}\n\n"

    def path(self, path: str) -> str:
        """Scrub a path, and put its query in order."""
        path, _, query = path.partition("?")
        pairs = sorted(parse_qsl(query, keep_blank_values=True))
        shown = [(name, SCRUBBED if _QUERY.fullmatch(name) else value) for name, value in pairs]
        return self.text(path + (f"?{urlencode(shown, quote_via=quote, safe='[]')}" if shown else ""))

    def body(self, sent: Sent) -> Any:
        """Give a request's body to be kept and compared: its JSON; of anything else, such as a file, its digest."""
        if not sent.content:
            return None
        body = sent.body
        if body is not None:
            return self.json(body)
        content = sent.content
        _, _, boundary = sent.headers.get("content-type", "").partition("boundary=")
        if boundary:  # made anew for each request
            content = content.replace(boundary.encode(), b"boundary")
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def own_secrets(*values: object) -> Iterable[str]:
    """Give a client's own secrets, but not what is too short to be one."""
    return (value for value in values if isinstance(value, str) and len(value) >= _SHORTEST)
