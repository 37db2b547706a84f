"""Whether the official `mcp` package is here."""

from __future__ import annotations

from importlib.util import find_spec

from toolkit.errors import ServerUnavailable

__all__ = ["check_extra"]


def check_extra() -> None:
    """Raise ServerUnavailable, saying what to install, where the package is missing."""
    if find_spec("mcp") is None:
        raise ServerUnavailable('MCP needs one more package: pip install "assistants-toolkit[mcp]"')
