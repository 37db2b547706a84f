"""Everything a driver needs for one run, beside the client."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

from openai import AsyncOpenAI, OpenAI

from toolkit.runs.bodies import Bodies
from toolkit.runs.consulting import Approver
from toolkit.runs.coverage import Missing
from toolkit.runs.form import Form
from toolkit.runs.gate import Gate
from toolkit.runs.hosts import Host
from toolkit.runs.journal import Journal
from toolkit.runs.limits import Limits
from toolkit.runs.recorder import Recorder
from toolkit.tools.calls import Around
from toolkit.tools.toolset import Toolset

__all__ = ["Job", "JournalPlace", "form_of", "ready", "toolset_of"]

JournalPlace = Journal | str | PathLike[str]
"""A journal, or the path of its file."""


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for, ready to be carried out."""

    host: Host
    limits: Limits
    gate: Gate
    """The tools, and what was decided on their calls."""
    missing: Missing
    """What becomes of functions that the tools lack."""
    approver: Approver | None
    """Who is asked about a call that needs approval; None leaves the run until somebody has decided."""
    recorder: Recorder
    """Keeps the journal, if there is one."""
    around: Around | None = None
    """What is put around each call, for somebody who listens."""
    form: Form[Any] | None = None
    """What the final answer must be."""
    bodies: Bodies = field(default_factory=Bodies)
    """Writes what is sent."""


def ready(
    verb: str,
    client: object,
    host: Host,
    limits: Limits,
    gate: Gate,
    missing: Missing,
    approve: Approver | None,
    journal: JournalPlace | None,
    form: Form[Any] | None = None,
) -> Job:
    """Check what a verb was given. Raises TypeError and ValueError, saying what to write instead."""
    if not isinstance(limits, Limits):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        raise TypeError(f"{verb}(limits=...) takes Limits, such as Limits(seconds=60), not {type(limits).__name__}")
    if missing not in ("raise", "tell"):
        raise ValueError(f'{verb}(missing={missing!r}): write "raise" or "tell"')
    if not (approve is None or callable(approve)):  # pyright: ignore[reportUnnecessaryComparison]
        raise TypeError(f"{verb}(approve=...) takes a function that decides on a Call, not {type(approve).__name__}")
    if isinstance(journal, str | PathLike):
        journal = Journal(journal)
    if not (journal is None or isinstance(journal, Journal)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{verb}(journal=...) takes a Journal or a path, not {type(journal).__name__}")
    if not isinstance(client, OpenAI | AsyncOpenAI):
        made = "; write engine.client()" if hasattr(client, "client") else ""
        kind = type(client).__name__
        raise TypeError(f"{verb}() takes an openai.OpenAI or openai.AsyncOpenAI first, not {kind}{made}")
    gate = replace(gate, has_journal=journal is not None)
    return Job(host, limits, gate, missing, approve, Recorder(journal), form=form)


def form_of(output_type: type[Any] | None) -> Form[Any] | None:
    """Give the form of an answer of this type, None for None. Raises DefinitionError for what no model can fill in."""
    return None if output_type is None else Form(output_type)


def toolset_of(verb: str, tools: Toolset | None) -> Toolset:
    """Give the toolset, an empty one for None. Raises TypeError for anything else."""
    if tools is None:
        return Toolset()
    if not isinstance(tools, Toolset):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
        raise TypeError(f"{verb}() takes its tools as a Toolset, such as Toolset(f, g), not {type(tools).__name__}")
    return tools
