"""Function calls of a chat completion, out of the pieces in which servers stream them.

Which call a piece belongs to: a known id wins; else a new id with a name starts a call, even at an index that is used;
else the index; else the call being written. Servers leave ids or indexes out, repeat names, number every call 0 and
send placeholders for arguments. Arguments are never read here: broken JSON is the tool's to refuse.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

from toolkit.runs.effects import Json

__all__ = ["Fragments"]

_OURS = frozenset({"index", "id", "type", "function"})
_OURS_IN_FUNCTION = frozenset({"name", "arguments"})


@dataclass(slots=True, eq=False)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    """Fields that we do not know; some models refuse a history without them."""
    extra_function: dict[str, Any] = field(default_factory=dict[str, Any])


class Fragments:
    """The calls of one completion while they are read."""

    def __init__(self) -> None:
        self._all: list[_Call] = []
        self._by_id: dict[str, _Call] = {}
        self._by_index: dict[object, _Call] = {}

    def add(self, given: object, *, whole: bool = False) -> None:
        """Take the `tool_calls` of a delta, or of a message: then each is `whole`."""
        for fragment in cast("list[object]", given) if isinstance(given, list) else ():
            if isinstance(fragment, dict):
                self._add(cast("dict[str, Any]", fragment), whole)

    def _add(self, fragment: dict[str, Any], whole: bool) -> None:
        said: object = fragment.get("function")
        function = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
        call_id, name, index = _text(fragment.get("id")), _text(function.get("name")), fragment.get("index")
        arguments = _arguments(function.get("arguments"))
        if not (call_id or name or arguments or self._all):
            return  # a placeholder of a server that makes no call
        if not whole and arguments and _is_told_again(self._by_id.get(call_id), name, arguments):
            return
        call = self._started() if whole else self._owner(call_id, name, index)
        call.id = call.id or call_id
        if call_id:
            self._by_id[call_id] = call
        if _is_index(index):
            self._by_index[index] = call
        if name and not call.arguments and name != call.name:
            call.name += name  # some servers send a name in pieces
        if arguments:
            call.arguments.append(arguments)
        call.extra |= _unknown(fragment, _OURS)
        call.extra_function |= _unknown(function, _OURS_IN_FUNCTION)

    def _owner(self, call_id: str, name: str, index: object) -> _Call:
        call = self._by_id.get(call_id) if call_id else None
        if call is None and call_id and name:
            return self._started()
        if call is None:
            call = self._by_index.get(index) if _is_index(index) else self._all[-1] if self._all else None
        return self._started() if call is None or _is_another(call, name) else call

    def _started(self) -> _Call:
        call = _Call()
        self._all.append(call)
        return call

    def calls(self, taken: Collection[str], prefix: str) -> list[Json]:
        """Give the calls as they go back to the model in the assistant's message.

        An id is the server's, unless it left it out or has used it before (`taken`): then it is `prefix` and a number.
        """
        used = set(taken)
        calls: list[Json] = []
        for call in self._all:
            if not call.name:
                continue
            number = len(calls)
            while not call.id or call.id in used:
                call.id, number = f"{prefix}{number}", number + 1
            used.add(call.id)
            function = {"name": call.name, "arguments": _whole("".join(call.arguments)), **call.extra_function}
            calls.append({"id": call.id, "type": "function", "function": function, **call.extra})
        return calls


def _is_told_again(call: _Call | None, name: str, arguments: str) -> bool:
    """Say whether a piece is a call as a whole that is there already: some servers tell it again at the end."""
    return call is not None and name == call.name and arguments == "".join(call.arguments)


def _is_another(call: _Call, name: str) -> bool:
    """Say whether a named piece starts another call: it has another name, or the arguments so far are whole JSON."""
    if not name or not call.name or not call.arguments:
        return False
    return name != call.name or _is_object("".join(call.arguments))


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict) and text.strip() != "{}"
    except (ValueError, RecursionError):
        return False


def _whole(arguments: str) -> str:
    """Read placeholders as no arguments; a leading `{}` is one where more follows."""
    text = arguments.strip()
    if text in ("", "null"):
        return "{}"
    rest = text.removeprefix("{}").lstrip()
    return rest if text.startswith("{}") and rest.startswith("{") else arguments


def _is_index(index: object) -> bool:
    return isinstance(index, int | str) and index != ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: object) -> str:
    """Read a piece of arguments: text as it is, an object as JSON text, null as nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _unknown(fields: dict[str, Any], ours: frozenset[str]) -> dict[str, Any]:
    if fields.keys() <= ours:
        return {}
    return {name: value for name, value in fields.items() if name not in ours and value is not None}
