"""What a new run is told when an expired one could not take the outputs of its calls."""

from __future__ import annotations

from typing import Any

from toolkit.runs.effects import FinishedCall, Json

__all__ = ["CONTINUES", "continued_by", "options_of", "told"]

CONTINUES = "continues_run"
"""Key in the new run's metadata; its value is the id of the expired one."""
LATE_CALL = "late_call"
"""Key in the metadata of each message that tells of a call; its value is the call's id."""

# A new run is created with what the expired one had; what the API gives where nothing was asked for is not asked for,
# since some models refuse to be told.
_USUAL: dict[str, object] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "parallel_tool_calls": True,
    "response_format": "auto",
    "tool_choice": "auto",
    "reasoning_effort": None,
    "max_prompt_tokens": None,
    "max_completion_tokens": None,
}
_MOST_PAIRS = 16  # Metadata of the API reference
_AS_THEY_ARE = ("assistant_id", "model", "instructions", "tools")


def continued_by(run: Json) -> str | None:
    """The id of the expired run that this one goes on from; None for one that goes on from none."""
    metadata: dict[str, str] = run.get("metadata") or {}
    return metadata.get(CONTINUES)


def options_of(run: Json) -> dict[str, Any]:
    """What creates a run like this one, and names it as the one that is gone on with."""
    options = {name: run[name] for name in _AS_THEY_ARE if run.get(name) is not None}
    options |= {name: run[name] for name, usual in _USUAL.items() if run.get(name, usual) not in (usual, None)}
    truncation: Json = run.get("truncation_strategy") or {}
    if truncation.get("type", "auto") != "auto":
        options["truncation_strategy"] = truncation
    metadata: Json = run.get("metadata") or {}
    return {**options, "metadata": {**metadata, CONTINUES: run["id"]} if len(metadata) < _MOST_PAIRS else metadata}


def told(run_id: str, finished: FinishedCall) -> Json:
    """A message that tells a model of a call: what was called, what it gave, and that it is done.

    The API has no role for it in a message that is not part of a run: it is a user's, and says that it is not.
    """
    call = finished.call
    text = (
        f"This is not a message of the user. The run {run_id} asked for a function, and expired before it could take "
        "the answer. Go on from the answer, and do not ask for the same call again.\n"
        f"Call: {call.name}({call.arguments})\nAnswer: {finished.output.content}"
    )
    return {"role": "user", "content": text, "metadata": {LATE_CALL: call.id}}
