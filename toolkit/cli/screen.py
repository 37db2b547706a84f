"""What a run looks like in a terminal: text as it streams, each call and its result as it happens."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, cast

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

from toolkit.runs.effects import FinishedCall
from toolkit.runs.events import CallFinished, CallStarted, Event, ServerEvent, TextDelta
from toolkit.runs.result import Result
from toolkit.tools.calls import Call

__all__ = ["Filler", "Screen"]

MOST_SHOWN = 600
"""Characters of a result or an argument; the model gets all of it."""

BLANKS = re.compile(r"(\n|[ \t]+)")

CONTROLS = {code: "\ufffd" for code in [*range(32), *range(127, 160)] if chr(code) not in "\n\t"}
"""Text of models and tools must not steer the terminal."""


class Screen:
    """Write events to stdout; `steps` shows the API's own objects as well."""

    def __init__(self, *, steps: bool) -> None:
        self._console = Console(file=sys.stdout, soft_wrap=True, highlight=False, markup=False, emoji=False)
        self._width = self._console.width if self._console.is_terminal else None
        self._steps = steps
        self._text: Filler | None = None

    def show(self, event: Event) -> None:
        """Show one event of a stream."""
        match event:
            case TextDelta(text):
                self._write(text)
            case CallStarted(call):
                self.line("call", _written(call), "cyan")
            case CallFinished(finished):
                self.line("result", _came(finished), "green" if finished.output.ok else "red")
            case ServerEvent(name):
                self._step(name, event)
            case _:
                pass

    def step(self, label: str, text: str) -> None:
        """Show a step towards the run, when steps are asked for."""
        if self._steps:
            self.line(label, text, "bright_black")

    def line(self, label: str, text: str, style: str = "") -> None:
        """Write a line of its own, after whatever text was streaming."""
        self.end_line()
        filler = Filler(self._width, indent=len(f"{label:<10} "))
        rest = filler.feed(text.rstrip().translate(CONTROLS)) + filler.rest()
        self._console.print(Text.assemble((f"{label:<10} ", style), rest))

    def end_line(self) -> None:
        """Finish the line that text was streaming into."""
        if self._text is not None:
            self._console.print(Text(self._text.rest()))
            self._text = None

    def summary(self, result: Result, seconds: float) -> None:
        """Say how the run ended and what it took."""
        self.end_line()
        parts = [result.status, f"{_count(len(result.calls), 'call')} in {_count(result.turns, 'turn')}"]
        if result.usage is not None:
            parts.append(f"{result.usage.prompt_tokens:,} + {result.usage.completion_tokens:,} tokens")
        self._console.print(Text(f"({', '.join([*parts, f'{seconds:.2f} s'])})", "bright_black"))

    def _write(self, text: str) -> None:
        if self._text is None:
            self._text = Filler(self._width)
            if self._steps:
                self._console.print()
        self._console.print(Text(self._text.feed(text.translate(CONTROLS))), end="")
        self._console.file.flush()

    def _step(self, name: str, event: ServerEvent) -> None:
        if self._steps and name in ("thread.created", "thread.run.created"):
            noun = name.split(".")[-2]
            self.step(noun, str(event.data["id"]))
        elif self._steps and name == "thread.run.requires_action":
            asked = event.data["required_action"]["submit_tool_outputs"]["tool_calls"]
            self.step("run", f"requires_action: {_count(len(asked), 'call')}")
        elif self._steps and name in ("thread.run.completed", "thread.run.incomplete"):
            self.step("run", name.rpartition(".")[2])


class Filler:
    """Break streaming text between words at `width` columns, None for never; lines after the first are indented.

    The last word is held back until it is known to end, so that it can move to the next line as a whole.
    """

    def __init__(self, width: int | None, *, indent: int = 0) -> None:
        self._width = width
        self._break = "\n" + " " * indent
        self._column = self._indent = indent
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece of text; what can be written now."""
        *parts, self._held = BLANKS.split(self._held + text)
        return "".join(map(self._placed, parts))

    def rest(self) -> str:
        """End the text; what was held back."""
        held, self._held = self._held, ""
        return self._placed(held)

    def _placed(self, part: str) -> str:
        if part == "\n":
            self._column = self._indent
            return self._break
        if self._width is None:
            return part
        size, start = cell_len(part), ""
        if not part.isspace() and self._indent < self._column > self._width - size:
            start, self._column = self._break, self._indent
        if self._indent and size > self._width - self._indent:  # unindented, the terminal does it and copies well
            lines = chop_cells(part, self._width - self._indent)
            self._column += cell_len(lines[-1])
            return start + self._break.join(lines)
        self._column += size
        return start + part


def _written(call: Call) -> str:
    """Write a call as one would in Python; arguments that are no JSON object are shown as they came."""
    try:
        arguments: object = json.loads(call.arguments)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        return _clipped(f"{call.name}({call.arguments})")
    given = cast("dict[str, Any]", arguments)
    return _clipped(f"{call.name}({', '.join(f'{k}={json.dumps(v, ensure_ascii=False)}' for k, v in given.items())})")


def _came(finished: FinishedCall) -> str:
    text = _clipped(f"{finished.call.name}: {finished.output.content}")
    if finished.error is None or str(finished.error) in text:
        return text
    return f"{text}\n{_clipped(f'(what the model is not told: {type(finished.error).__name__}: {finished.error})')}"


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}... ({len(text):,} characters)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
