"""Function calls out of the fragments in which servers stream them. No I/O.

Which call a fragment belongs to: a known id wins; else a new id with a name starts a call, even at an index that is
used; else the index; else the call being written. Servers leave ids or indexes out, repeat names, number every call 0,
change ids on the way and send placeholders for arguments; each of these is a case in the tests.

An id is the server's own, unless it left it out or has used it before: a run never has two calls of one id.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from toolkit.engine.jsontext import dump
from toolkit.engine.model import CallBegan, CallPiece, Delta, ModelCall, ModelError

__all__ = ["Calls"]

_UNDECIDED: Final = frozenset({"", "{", "{}", "n", "nu", "nul", "null"})
"""Beginnings of arguments that may turn out to be a placeholder; held back until that is known."""
_COUNTED: Final = re.compile(r"(.*:)(\d{1,9})", re.DOTALL)
_ALPHANUMERIC: Final = string.ascii_letters + string.digits
_OURS: Final = frozenset({"index", "id", "type", "function"})
_OURS_IN_FUNCTION: Final = frozenset({"name", "arguments"})


@dataclass(slots=True, eq=False)
class _Call:
    id: str = ""
    refused_id: str = ""
    """The server's id, when it has been used before."""
    name: str = ""
    index: int | None = None
    """Its place among the calls, counted here once it has begun."""
    held: str = ""
    pieces: list[str] = field(default_factory=list[str])
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    """Fields of the call that we do not know; Gemini refuses a history without them."""
    extra_function: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def has_arguments(self) -> bool:
        return bool(self.pieces or self.held)


class Calls:
    """The calls of one completion while they are read; none gets an id that is `taken`."""

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self._taken = set(taken)
        """Ids that no further call may get."""
        self._all: list[_Call] = []
        self._by_id: dict[str, _Call] = {}
        """By the ids that the server uses, whatever ids its calls get."""
        self._by_index: dict[object, _Call] = {}
        self._begun: list[_Call] = []

    def take(self, fragments: Sequence[Any], *, whole: bool = False) -> list[Delta]:
        """Add the fragments of one event. `whole` says that each is a complete call (an answer that is no stream)."""
        deltas: list[Delta] = []
        touched: list[_Call] = []
        for fragment in fragments:
            if not isinstance(fragment, dict):
                continue
            fragment = cast("dict[str, Any]", fragment)
            function: dict[str, Any] = fragment["function"] if isinstance(fragment.get("function"), dict) else {}
            call_id, name = _text(fragment.get("id")), _text(function.get("name"))
            arguments = _arguments(function.get("arguments"))
            if not (call_id or name or arguments or self._all):
                continue  # a placeholder of a server that makes no call
            call = self._started() if whole else self._owner(call_id, name, fragment.get("index"), touched)
            if not whole and name and (told := _told_whole(call, arguments)):
                if told == "again" and call not in touched:
                    continue
                call = self._started()
            touched.append(call)
            self._identify(call, call_id, name, fragment.get("index"))
            _keep_unknown(call, fragment, function)
            if arguments:
                self._append(call, arguments, deltas)
        return deltas

    def end(self) -> list[Delta]:
        """Give what was held back. Raises ModelError for arguments of a call that never got a name."""
        deltas: list[Delta] = []
        for call in self._all:
            if not call.name:
                if call.has_arguments:
                    raise ModelError("The model called a function without naming it.", retry=True)
                continue
            self._begin(call, deltas)
            if not call.pieces:
                placeholder = call.held.strip() in ("", "null")
                self._release(call, "{}" if placeholder else call.held, deltas)
        return deltas

    def calls(self) -> tuple[ModelCall, ...]:
        """Give the calls as they are handed to the application, after `end`."""
        return tuple(ModelCall(call.id, call.name, "".join(call.pieces)) for call in self._begun)

    def history(self) -> list[dict[str, Any]]:
        """Give the calls as they go back to the model in the assistant's message, after `end`."""
        return [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": "".join(call.pieces), **call.extra_function},
                **call.extra,
            }
            for call in self._begun
        ]

    def _owner(self, call_id: str, name: str, index: object, touched: list[_Call]) -> _Call:
        """Find the call that a fragment belongs to, or start one."""
        call = self._by_id.get(call_id) if call_id else None
        if call is not None:
            return self._started() if _is_another(call, name) else call
        if call_id and name:
            return self._started()
        if _is_index(index):
            call = self._by_index.get(index)
        elif self._all:
            call = self._all[-1]
        if call is None or _is_another(call, name) or (name and call in touched):
            return self._started()
        return call

    def _started(self) -> _Call:
        call = _Call()
        self._all.append(call)
        return call

    def _identify(self, call: _Call, call_id: str, name: str, index: object) -> None:
        if call_id:
            if not call.id and call.index is None:
                if call_id in self._taken:
                    call.refused_id = call_id
                else:
                    call.id = call_id
                    self._taken.add(call_id)
            self._by_id[call_id] = call
        if _is_index(index):
            self._by_index[index] = call
        if name and name != call.name and not (call.name and call.has_arguments):
            call.name += name  # some servers send a name in pieces

    def _append(self, call: _Call, arguments: str, deltas: list[Delta]) -> None:
        """Add a piece of arguments; a leading `{}` is a placeholder when more follows."""
        if call.pieces:
            self._release(call, arguments, deltas)
            return
        text = call.held + arguments
        stripped = text.strip()
        if stripped in _UNDECIDED or not call.name:
            call.held = text
            return
        if stripped.startswith("{}") and stripped[2:].lstrip().startswith("{"):
            text = stripped[2:].lstrip() + text[len(text.rstrip()) :]
        self._begin(call, deltas)
        self._release(call, text, deltas)

    def _begin(self, call: _Call, deltas: list[Delta]) -> None:
        """Announce a call, after those that came before it."""
        if call.index is not None:
            return
        for earlier in self._all[: self._all.index(call)]:
            if earlier.index is None and earlier.name:
                self._announce(earlier, deltas)
        self._announce(call, deltas)

    def _announce(self, call: _Call, deltas: list[Delta]) -> None:
        call.id = call.id or _new_id(call.refused_id, self._taken)
        self._taken.add(call.id)
        call.index = len(self._begun)
        self._begun.append(call)
        deltas.append(CallBegan(call.index, call.id, call.name))

    def _release(self, call: _Call, text: str, deltas: list[Delta]) -> None:
        call.held = ""
        call.pieces.append(text)
        deltas.append(CallPiece(cast("int", call.index), text))


def _is_another(call: _Call, name: str) -> bool:
    """Say whether a name cannot be that of a call: it differs, and the call's arguments are under way."""
    return bool(name) and name != call.name and bool(call.name) and call.has_arguments


def _told_whole(call: _Call, arguments: str) -> Literal["again", "another"] | None:
    """Say what a named fragment with whole arguments is to a call that has all of its own; None when they are parts.

    Nothing can follow whole JSON. Some servers tell their calls once more at the end of the stream, and some give all
    calls of a function one id (Gemini's name) or none.
    """
    now = _object(arguments)
    before = _object("".join([*call.pieces, call.held])) if now else None
    if not before:
        return None
    return "again" if before == now else "another"


def _object(text: str) -> dict[str, Any] | None:
    """Read arguments that are whole; None for a part of them."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _new_id(refused: str, taken: Collection[str]) -> str:
    """Make an id, in the shape of the refused one where models are strict: Kimi counts, Mistral takes 9 characters."""
    if counted := _COUNTED.fullmatch(refused):
        number = int(counted[2])
        while f"{counted[1]}{number}" in taken:
            number += 1
        return f"{counted[1]}{number}"
    if len(refused) == 9 and refused.isascii() and refused.isalnum():
        return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(9))
    return f"call_{secrets.token_hex(12)}"


def _is_index(index: object) -> bool:
    return isinstance(index, int | str) and index != ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: object) -> str:
    """Read a piece of arguments: text as it is, an object as JSON text, null as nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None else dump(value)


def _keep_unknown(call: _Call, fragment: dict[str, Any], function: dict[str, Any]) -> None:
    for fields, ours, kept in ((fragment, _OURS, call.extra), (function, _OURS_IN_FUNCTION, call.extra_function)):
        if not fields.keys() <= ours:
            kept.update((key, value) for key, value in fields.items() if key not in ours and value is not None)
