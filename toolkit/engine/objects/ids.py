"""Ids of new objects: a prefix that says the kind, and 24 random letters and digits (143 bits).

No underscore follows the prefix's own: clients split ids there.
"""

from __future__ import annotations

import os
import string

__all__ = ["new_id"]

_LETTERS = (string.ascii_letters + string.digits).encode()
_LENGTH = 24
_FAIR = 256 // len(_LETTERS) * len(_LETTERS)
"""Bytes from here on are dropped, or the first letters would be likelier than the others."""
_TABLE = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))
_DROPPED = bytes(range(_FAIR, 256))


def new_id(prefix: str) -> str:
    """Make an id, such as `asst_...` for "asst". Files are the ones with a dash: `file-...`."""
    return f"{prefix}{'-' if prefix == 'file' else '_'}{_letters()}"


def _letters() -> str:
    letters = b""
    while len(letters) < _LENGTH:  # 32 bytes nearly always do: each is kept with a chance of 31 in 32
        letters += os.urandom(32).translate(_TABLE, _DROPPED)
    return letters[:_LENGTH].decode()
