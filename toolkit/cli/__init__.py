"""The `toolkit` command: the door, which says what to install when the command's own packages are not there.

One file per command; `target.py` finds the user's tools, `settings.py` reads flags and environment, `mistakes.py` says
in one to three lines what went wrong. Nothing below this room reads the environment or prints.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]


def main() -> int:
    """Run the command line of this process; the exit code."""
    if not all(find_spec(name) for name in ("typer", "rich", "uvicorn")):
        print('The toolkit command needs: pip install "assistants-toolkit[standard]"', file=sys.stderr)  # noqa: T201 - a command's own output
        return 2
    from toolkit.cli.commands import go

    return go(sys.argv[1:])
