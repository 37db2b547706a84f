"""How a function stands on an assistant: what we want, what is there, and what we put there last.

Three fingerprints of its definition, each None where there is none. It is the merge of three sides: where nobody but us
has touched it, ours goes; what others did is a conflict, unless it came to the same.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["Kind", "settled", "standing", "who_did"]

Kind = Literal["add", "change", "remove", "adopt", "leave", "conflict"]
"""adopt: it is there as we want it, and becomes ours. leave: it is ours no more, and stays, being of others too."""


def standing(ours: str | None, theirs: str | None, recorded: str | None) -> Kind | None:
    """Say what is to be done; None for nothing."""
    touched_by_us_alone = theirs == recorded
    if ours == theirs:
        return None if touched_by_us_alone or ours is None else "adopt"
    if touched_by_us_alone:
        return settled(ours, theirs)
    if ours is None and recorded is None:
        return None  # a function of others
    return "conflict"


def settled(ours: str | None, theirs: str | None) -> Kind:
    """Say what makes theirs ours, whoever has touched it."""
    return "add" if theirs is None else "remove" if ours is None else "change"


def who_did(theirs: str | None, recorded: str | None) -> str:
    """Say in words what others did, of a conflict."""
    if theirs is None:
        return "somebody else took it off"
    return "somebody else's function has this name" if recorded is None else "somebody else changed it"
