"""Goes through cases one after another, for the scripts that `run.py` starts in environments of their own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

__all__ = ["go_through"]


def go_through(cases: Iterable[str], ask: Callable[[str], str]) -> None:
    """Print how each case ends, exceptions included, and how long it took."""
    logging.disable()
    for case in cases:
        began = time.monotonic()
        try:
            end = ask(case)
        except BaseException as error:
            end = f"{type(error).__name__}: {error}"[:200].replace("\n", " ")
        print(f"  {case}: ends with {end} in {time.monotonic() - began:.1f} s", flush=True)
