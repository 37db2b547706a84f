"""How the two sides of a wall talk: a line of JSON, and after it as many bytes as its `size` says.

Requests are {"do": "run" | "put" | "get", "call": N, ...}, the answers to one {"call": N, "kind": ..., ...}; the last
of them is of the kind "done".
"""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["LONGEST_LINE", "packed"]

LONGEST_LINE: Final = 64 * 1024


def packed(head: dict[str, Any], body: bytes = b"") -> bytes:
    """Make one message."""
    return json.dumps({**head, "size": len(body)}).encode() + b"\n" + body
