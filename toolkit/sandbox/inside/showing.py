"""Where pictures go that code shows. The backend of matplotlib is imported by the code, and finds the way here."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["send_picture", "send_with"]

_send: Callable[[bytes], None] | None = None


def send_with(send: Callable[[bytes], None]) -> None:
    """Say what sends a picture."""
    global _send
    _send = send


def send_picture(png: bytes) -> None:
    """Send a picture."""
    if _send is not None:
        _send(png)
