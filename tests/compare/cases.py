"""What the scripts share that `run.py` starts in environments of their own: functions, and a way through cases."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

__all__ = ["breaks", "go_through", "slow", "weather"]


def weather(city: str) -> str:
    """Weather in a city."""
    return f"Sunny in {city}."


def breaks(city: str) -> str:
    """Break."""
    raise RuntimeError("the lamp fell over")


def slow(city: str) -> str:
    """Take a while."""
    time.sleep(0.5)
    return "slow"


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
