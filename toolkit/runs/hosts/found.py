"""Whether what is found at the server may be what our unanswered request has made."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from toolkit.runs.effects import Reply

__all__ = ["made_since_start"]


def made_since_start(created_at: int, reply: Reply) -> bool:
    """Compare on the server's clock, which its answers tell in whole seconds; without one, take it for an older one."""
    try:
        now = parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except ValueError:
        return False
    return bool(created_at >= int(now - reply.elapsed_s))
