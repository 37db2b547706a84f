"""The person at the terminal decides on calls that need approval, having seen their exact arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from toolkit import Call, Deny

if TYPE_CHECKING:
    from toolkit.cli.screen import Screen

__all__ = ["Person"]

QUESTION = "Approve this call? y, n, or a reason why not: "


class Person:
    """An approver that asks at the terminal; `says_yes` to all that is asked, or no where there is no terminal."""

    def __init__(self, screen: Screen, *, says_yes: bool) -> None:
        self._screen = screen
        self._says_yes = says_yes

    def __call__(self, call: Call) -> bool | Deny:
        """Show a call and ask. Only `y` and `yes` approve it."""
        self._screen.line("approve?", f"{call.name} {shown(call.arguments)}", "yellow")
        if self._says_yes:
            return True
        if not sys.stdin.isatty():
            self._screen.line("denied", "There is no terminal to ask at; --yes approves every call.", "yellow")
            return Deny("There is nobody to approve it.")
        answer = self._asked().strip()
        if answer.casefold() in ("y", "yes"):
            return True
        return Deny("" if answer.casefold() in ("", "n", "no") else answer)

    def _asked(self) -> str:
        try:
            return input(QUESTION)
        except EOFError:  # Ctrl-D
            return ""


def shown(arguments: str) -> str:
    """Write arguments so that nothing in them is hidden, cut, or steers the terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in arguments)
