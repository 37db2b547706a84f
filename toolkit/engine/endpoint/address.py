"""The address of a model endpoint: whether it is one, how it is shown, and whether it is this machine's own. No I/O."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import httpx2

from toolkit.errors import EngineError

__all__ = ["base_of", "is_here", "moved_to", "parts_of"]


def parts_of(url: str) -> SplitResult:
    """Take a URL apart. Raises EngineError for one that is none."""
    try:
        httpx2.URL(url)
        parts = urlsplit(url)
    except (ValueError, httpx2.InvalidURL):
        parts = urlsplit("")
    if parts.scheme in ("http", "https") and parts.hostname:
        return parts
    raise EngineError(f"The model URL {url!r} is not understood. Write it like http://localhost:11434/v1.")


def base_of(url: str) -> str:
    """Give the base of an address as people may see it: without name, password and query, which may be secret."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))


def moved_to(url: str, location: str) -> str:
    """Give the base of where a redirect leads, '' when it leads nowhere."""
    try:
        return base_of(urljoin(url, location)) if location else ""
    except ValueError:
        return ""


def is_here(host: str) -> bool:
    """Say whether a host is this machine itself."""
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.")  # noqa: S104 - compared, not bound
