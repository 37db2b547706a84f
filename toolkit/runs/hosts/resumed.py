"""The host of a run that was left: what it left says where it lives."""

from __future__ import annotations

from toolkit.runs.hosts import Host, OnExpiry
from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.hosts.chat import CHAT, Completions
from toolkit.runs.hosts.responses import RESPONSES, Chain
from toolkit.runs.hosts.sessions import SESSIONS, Turns
from toolkit.runs.pending import Pending

__all__ = ["resumed"]


def resumed(verb: str, key: str, pending: Pending, on_expiry: OnExpiry) -> Host:
    """Say how to go on with a run. Raises ValueError for one that this version does not know."""
    state = pending.state
    if state is None:
        return Assistants(key, pending.thread_id, pending.run_id, on_expiry=on_expiry)
    if on_expiry != "raise":
        raise ValueError(f"{verb}(on_expiry={on_expiry!r}): this run does not expire, leave that out")
    kind, streams = state.get("object"), verb == "resume_stream"
    if kind == CHAT:
        return Completions(state, streams, picked_up=True)
    if kind == SESSIONS:
        return Turns(state, picked_up=True)
    if kind == RESPONSES:
        return Chain(state, streams, picked_up=True)
    raise ValueError(f"{verb}() does not know runs of the kind {kind!r}")
