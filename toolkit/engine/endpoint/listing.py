"""What `GET /models` of an endpoint tells: the names, and, from many servers, how long a request may be. No I/O.

OpenAI's own listing has no window; these have one, each under a name of its own: vLLM and SGLang (`max_model_len`),
OpenRouter, Together, Fireworks and others (`context_length`), Groq (`context_window`), Mistral (`max_context_length`),
LM Studio's own API (`loaded_context_length`, `max_context_length`), ArliAI (`max_context`), llama.cpp (`meta.n_ctx`,
`meta.n_ctx_train`). Where a server tells several, the smallest holds: what was loaded, not what was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

__all__ = ["window_of", "windows_in"]

_WINDOWS: Final = (
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
    "loaded_context_length",
    "max_context",
    "n_ctx",
    "n_ctx_train",
)
_INSIDE: Final = ("meta", "top_provider")
"""Objects of an entry in which llama.cpp and OpenRouter tell of the window."""


def windows_in(answer: object) -> dict[str, int | None]:
    """Read {name: window} out of {"data": [...]}, {"models": [...]} or a bare list, of objects or texts."""
    if isinstance(answer, dict):
        listing = cast("dict[str, Any]", answer)
        answer = listing.get("data") or listing.get("models")
    windows: dict[str, int | None] = {}
    for each in cast("list[object]", answer) if isinstance(answer, list) else []:
        entry = cast("Mapping[str, Any]", each if isinstance(each, dict) else {"id": each})
        name = next((entry[key] for key in ("id", "model", "name") if isinstance(entry.get(key), str)), None)
        if name:
            windows[name] = windows.get(name) or _window(entry)
    return windows


def window_of(name: str, windows: Mapping[str, int | None]) -> int | None:
    """Look up a model's window. Ollama lists llama3 as llama3:latest; a server of one model takes any name for it."""
    for known in (name, f"{name}:latest"):
        if known in windows:
            return windows[known]
    return next(iter(windows.values())) if len(windows) == 1 else None


def _window(entry: Mapping[str, Any]) -> int | None:
    told = [entry, *(cast("Mapping[str, Any]", entry[key]) for key in _INSIDE if isinstance(entry.get(key), dict))]
    return min((size for one in told for key in _WINDOWS if (size := _size(one.get(key)))), default=None)


def _size(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
