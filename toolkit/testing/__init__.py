"""For your own tests: a model that says what you tell it to, a server that fails where you tell it to, recorded runs.

The public names, nothing else, imported when they are first used: `plugin.py` is loaded with every pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.engine.model import Ended, ModelError
    from toolkit.testing.cassettes import ReplayMismatch, areplay, record, replay
    from toolkit.testing.scripted import Asked, ScriptedModel
    from toolkit.testing.server import ScriptedServer, Seen
    from toolkit.testing.snapshots import assert_schema
    from toolkit.testing.turns import call

__all__ = [
    "Asked",
    "Ended",
    "ModelError",
    "ReplayMismatch",
    "ScriptedModel",
    "ScriptedServer",
    "Seen",
    "areplay",
    "assert_schema",
    "call",
    "record",
    "replay",
]

_HOME = {
    "toolkit.engine.model": ("Ended", "ModelError"),
    "toolkit.testing.cassettes": ("ReplayMismatch", "areplay", "record", "replay"),
    "toolkit.testing.scripted": ("Asked", "ScriptedModel"),
    "toolkit.testing.server": ("ScriptedServer", "Seen"),
    "toolkit.testing.snapshots": ("assert_schema",),
    "toolkit.testing.turns": ("call",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562), and keep it."""
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
