"""Send a request and tell the model the answer: in a bounded time and size, to the servers allowed and no other.

Keys are put on below the client (`_Sealed`): what the client logs and raises, and what a redirect leads to, never holds
them, and the place is looked at once more where the bytes go out.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Collection
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from urllib.parse import quote

import httpx2

from toolkit.errors import ToolError
from toolkit.openapi.auth import Seal
from toolkit.openapi.building import Request
from toolkit.openapi.document import origin
from toolkit.tools.attachments import Image

__all__ = ["Sender"]

MOST_BYTES: Final = 2**20
"""What is read of an answer; a toolset cuts it further, `max_output_bytes`."""
MOST_OF_ERROR: Final = 2_000
"""Characters of an error's text that the model is told."""
MOST_REDIRECTS: Final = 3
SEAL: Final = "toolkit.seal"
HEADERS: Final = {
    "accept": "application/json, text/*;q=0.8, */*;q=0.5",
    "accept-encoding": "identity",  # an answer is not to be a hundred times what was read of it
    "user-agent": "assistants-toolkit",
}


class Sender:
    """The connections to an API's servers, kept open while the toolset is used; from any thread."""

    def __init__(
        self, origins: Collection[tuple[str, str, int]], timeout_s: float, transport: httpx2.BaseTransport | None
    ) -> None:
        """`origins` are the servers that requests may go to."""
        self._timeout_s = timeout_s
        self._client = httpx2.Client(
            transport=_Sealed(transport or httpx2.HTTPTransport(), frozenset(origins)),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one call's are none of the next one's
            headers=HEADERS,
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_s,
        )
        weakref.finalize(self, self._client.close)

    def send(self, request: Request, seal: Seal) -> str | Image:
        """Send a request, and give the text or the picture of its answer. Raises ToolError for all else."""
        ends = time.monotonic() + self._timeout_s
        try:
            sent = self._client.build_request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body,
                extensions={SEAL: seal},
            )
            return self._answer(sent, seal, ends)
        except httpx2.TimeoutException as error:
            raise ToolError(self._late()) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ToolError(f"The API cannot be reached, or broke off: {type(error).__name__}.") from error

    def _answer(self, request: httpx2.Request, seal: Seal, ends: float) -> str | Image:
        for _ in range(MOST_REDIRECTS + 1):
            response = self._client.send(request, stream=True)
            try:
                following = response.next_request
                if following is None:
                    return self._told(response, seal, ends)
                if following.url.userinfo or origin(str(following.url)) != origin(str(request.url)):
                    raise ToolError("The API redirects to another place, which is not followed.")
                request = following
            finally:
                response.close()
        raise ToolError("The API redirects again and again.")

    def _told(self, response: httpx2.Response, seal: Seal, ends: float) -> str | Image:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                break
            if time.monotonic() > ends:
                raise ToolError(self._late())
        kind = _kind(response)
        if response.is_success and kind.startswith("image/") and not _is_text(kind) and 0 < len(body) <= MOST_BYTES:
            return Image(bytes(body), kind)
        text = seal.struck(_text(response, kind, bytes(body[:MOST_BYTES])))
        if response.is_success:
            return text or f"Done (status {response.status_code}, no content)."
        raise ToolError(f"The API answered with status {response.status_code}. {_short(text)}".rstrip())

    def _late(self) -> str:
        return f"The API gave no answer within {self._timeout_s:g} s. The call may still have taken effect."


class _Sealed(httpx2.BaseTransport):
    """Puts keys on requests that go to a server allowed, and lets no other out."""

    def __init__(self, inner: httpx2.BaseTransport, origins: frozenset[tuple[str, str, int]]) -> None:
        self._inner, self._origins = inner, origins

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if origin(str(request.url)) not in self._origins:
            raise ToolError("This call leads to a server that is not allowed, and is not sent.")
        seal = request.extensions.get(SEAL, Seal())
        headers = request.headers.copy()
        headers.update(seal.headers)
        if seal.cookies:
            more = "; ".join(f"{quote(name)}={quote(value)}" for name, value in seal.cookies.items())
            headers["cookie"] = f"{headers['cookie']}; {more}" if "cookie" in headers else more
        url = str(request.url)
        for name, value in seal.query.items():
            url += f"{'&' if '?' in url else '?'}{quote(name, safe='')}={quote(value, safe='')}"
        extensions = {name: value for name, value in request.extensions.items() if name != SEAL}
        sealed = httpx2.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)
        return self._inner.handle_request(sealed)

    def close(self) -> None:
        self._inner.close()


def _kind(response: httpx2.Response) -> str:
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind.endswith(("json", "xml", "yaml", "javascript", "x-www-form-urlencoded"))


def _text(response: httpx2.Response, kind: str, body: bytes) -> str:
    if not _is_text(kind) and (kind or b"\0" in body) and body:
        size = response.headers.get("content-length") or f"at least {len(body)}"
        return f"[{kind or 'bytes'}, {size} bytes: cannot be shown as text]"
    try:
        return body.decode(response.charset_encoding or "utf-8", "replace")
    except LookupError:  # a charset that nobody knows
        return body.decode("utf-8", "replace")


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MOST_OF_ERROR else f"{text[:MOST_OF_ERROR]}..."
