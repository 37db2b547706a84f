"""What a program waits for before its first line: imports, each in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.servers import environment
from tests.benchmarks.table import Row, Scale, against, ms

__all__ = ["measure"]

_PYDANTIC = "from pydantic import BaseModel, TypeAdapter"
_OPENAI = "from openai import OpenAI; OpenAI(api_key='none')"
_FUNCTION = """
def get_weather(city: str, days: int = 1) -> str:
    '''Weather in a city.

    Args:
        city: Its name.
        days: How many days.
    '''
    return city
"""
_TOOL = f"from toolkit import tool\n{_FUNCTION}\nget_weather = tool(get_weather)"
_DEFINED = f"{_TOOL}\nimport sys\nassert 'openai' not in sys.modules"
_SAID = f"{_DEFINED}\nassert get_weather.definition"
_SCHEMA = f"{_PYDANTIC}\n{_FUNCTION}\nTypeAdapter(get_weather).json_schema()"
_RUN = f"{_TOOL}\nfrom toolkit import Toolset, run\n{_OPENAI}\nToolset(get_weather)"


def measure(scale: Scale) -> Iterator[Row]:
    rounds = scale.times(15)
    yield _row("import to define a tool; openai not imported", _DEFINED, _PYDANTIC, 1.3, rounds)
    yield _row("import to the first definition, against pydantic's schema", _SAID, _SCHEMA, 1.3, rounds)
    yield _row("import to run: tool, Toolset, run and an OpenAI()", _RUN, _OPENAI, 1.1, rounds)


def _row(what: str, ours: str, floor: str, budget: float, rounds: int) -> Row:
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for program, seconds in zip((ours, floor), took, strict=True):
            seconds.append(_seconds(program))
    return against(what, median(took[0]), median(took[1]), budget, ms)


def _seconds(program: str) -> float:
    """Time a program from inside its interpreter, whose own start is nobody's merit."""
    timed = f"import time; began = time.perf_counter()\n{program}\nprint(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", timed], env=environment(), capture_output=True, text=True, check=True)
    return float(done.stdout)
