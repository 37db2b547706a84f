"""What would change on an assistant: decided from how it is and how it is wanted, without I/O."""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from toolkit.assistants.fingerprints import (
    canonical,
    fingerprint,
    of_definition,
    recorded,
    recorded_by_others,
    with_record,
)
from toolkit.assistants.instructions import joined
from toolkit.assistants.limits import MOST_TOOLS
from toolkit.assistants.standing import Kind, settled, standing, who_did
from toolkit.assistants.wanted import Json, Wanted
from toolkit.errors import RegistrationError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI
    from openai.types.beta import Assistant

__all__ = ["Change", "Plan", "decide"]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between an assistant and what it is to be."""

    kind: Kind
    what: str
    """Name of the function, or of the assistant's field."""
    before: Any = None
    after: Any = None
    why: str = ""
    """What somebody else did, where that is so."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change on an assistant; as text, a diff of at most 80 columns."""

    assistant_id: str | None
    """None for an assistant that is to be made."""
    name: str | None
    fields: tuple[Change, ...]
    functions: tuple[Change, ...]
    kept: tuple[str, ...]
    """The tools of others that stay: names of functions, types of hosted tools."""
    request: Json = field(repr=False)
    """What is to be sent; empty when there is nothing."""
    seen: Json | None = field(repr=False)
    """The assistant as it was read."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, conflicts included; none when the assistant is as it should be."""
        return (*self.fields, *self.functions)

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """What others did to our functions or under their names; it is not written over unless told so."""
        return tuple(change for change in self.functions if change.kind == "conflict")

    def __str__(self) -> str:
        from toolkit.assistants.diff import text

        return text(self)

    @overload
    def apply(self, client: OpenAI) -> Assistant: ...
    @overload
    def apply(self, client: AsyncOpenAI) -> Coroutine[Any, Any, Assistant]: ...
    def apply(self, client: OpenAI | AsyncOpenAI) -> Assistant | Coroutine[Any, Any, Assistant]:
        """Do it, and give the assistant; with an AsyncOpenAI, await that.

        Raises Drifted for conflicts, RegistrationError when the assistant has changed since it was read; either way
        nothing was sent.
        """
        from toolkit.assistants.drivers import carry_out
        from toolkit.assistants.steps import applied

        return carry_out("apply", client, applied(self))


def decide(wanted: Wanted, found: Json | None) -> Plan:
    """Say what would change; `found` is the assistant as it was read, None when there is none yet.

    Raises RegistrationError for what cannot be: no room, a model that is missing, instructions that cannot be joined.
    """
    there = found or {}
    ours = {definition["function"]["name"]: definition for definition in wanted.definitions}
    functions = tuple(_functions(ours, wanted, there))
    fields = tuple(_fields(wanted, found))
    tools = _tools(ours, functions, there)
    held = [tool["function"] for tool in wanted.definitions]
    metadata: Mapping[str, str] = there.get("metadata") or {}
    marked = with_record({**metadata, **wanted.metadata}, wanted.owner, held)
    request: dict[str, Any] = {}
    if fields or functions:
        request |= {change.what: change.after for change in fields if not change.what.startswith("metadata.")}
        request |= {"tools": tools} if any(change.kind not in ("adopt", "leave") for change in functions) else {}
        request |= {"metadata": marked} if marked != metadata else {}
    return Plan(
        assistant_id=there.get("id"),
        name=there.get("name") or wanted.name,
        fields=fields,
        functions=functions,
        kept=tuple(_kept({*ours, *(change.what for change in functions if change.kind != "leave")}, there)),
        request=request,
        seen=found,
    )


def _functions(ours: Mapping[str, Json], wanted: Wanted, there: Json) -> Iterator[Change]:
    """Compare functions by name: ours in our order, then those that are there."""
    theirs = {tool["function"]["name"]: tool for tool in there.get("tools") or () if tool["type"] == "function"}
    metadata: Mapping[str, str] = there.get("metadata") or {}
    record, shared = recorded(metadata, wanted.owner), recorded_by_others(metadata, wanted.owner)
    for name in dict.fromkeys([*ours, *theirs]):
        mine, here = (tools[name]["function"] if name in tools else None for tools in (ours, theirs))
        marks = (mine and of_definition(mine), here and of_definition(here), record.get(fingerprint(name)))
        kind = standing(*marks)
        if kind is None:
            continue
        why = who_did(marks[1], marks[2]) if kind == "conflict" else ""
        if kind == "conflict" and wanted.overwrite:
            kind = settled(marks[0], marks[1])
        if kind == "remove" and fingerprint(name) in shared:
            kind = "leave"
        yield Change(kind, name, here, mine, why)


def _fields(wanted: Wanted, found: Json | None) -> Iterator[Change]:
    """Compare the fields that are given; an assistant to be made has those alone."""
    there = found or {}
    given = {"name": wanted.name, **wanted.fields, "instructions": _instructions(wanted, found)}
    if found is None and not given.get("model"):
        raise RegistrationError(f"There is no assistant called {wanted.name!r}. To make one, say its model.")
    for name, value in given.items():
        if value is not None and not _same(there.get(name), value):
            yield Change("add" if there.get(name) is None else "change", name, there.get(name), value)
    metadata: Mapping[str, str] = there.get("metadata") or {}
    for key, value in wanted.metadata.items():
        if metadata.get(key) != value:
            yield Change("change" if key in metadata else "add", f"metadata.{key}", metadata.get(key), value)


def _instructions(wanted: Wanted, found: Json | None) -> str | None:
    """Give the instructions to be set: those that are given and the toolset's own; None to leave them alone."""
    given: str | None = wanted.fields.get("instructions")
    if given is not None or not wanted.told:
        return None if given is None else joined(given, wanted.told)
    if found is None:
        return wanted.told
    if wanted.told in (found.get("instructions") or ""):
        return None
    raise RegistrationError(
        "The toolset has instructions of its own, and the assistant lacks them. Give all that it is to be told as its "
        "instructions; the toolset's own are put behind them."
    )


def _same(before: object, after: object) -> bool:
    return (before in (None, "") and after == "") or canonical(before) == canonical(after)


def _tools(ours: Mapping[str, Json], functions: Sequence[Change], there: Json) -> list[Json]:
    """List the tools as they are to be, each in its place. Raises RegistrationError for too many."""
    kinds = {change.what: change.kind for change in functions}
    tools: list[Json] = []
    for tool in there.get("tools") or ():
        kind = kinds.get(tool["function"]["name"]) if tool["type"] == "function" else None
        if kind != "remove":
            tools.append(ours[tool["function"]["name"]] if kind == "change" else tool)
    tools += [ours[name] for name, kind in kinds.items() if kind == "add"]
    if len(tools) > MOST_TOOLS:
        raise RegistrationError(
            f"The assistant would have {len(tools)} tools, {len(tools) - len(ours)} of others, and {MOST_TOOLS} are "
            "the most: leave some out, tools.without(...), or take those of others off it."
        )
    return tools


def _kept(named: Collection[str], there: Json) -> Iterator[str]:
    """Name the tools that are none of ours: functions by name, hosted tools by type."""
    for tool in there.get("tools") or ():
        if tool["type"] != "function":
            yield tool["type"]
        elif tool["function"]["name"] not in named:
            yield tool["function"]["name"]
