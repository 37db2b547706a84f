"""What a call of code_interpreter has put out so far, as its step has it: logs and images, in their order."""

from __future__ import annotations

import re
from typing import Any, Final

from toolkit.engine.jsontext import clean

__all__ = ["Transcript", "image_of"]

_CONTROL: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursors of terminals
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and links of terminals
    r"|\x1b[@-Z\\^_]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_BEGUN: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?)?\Z")
_LONGEST_BEGUN: Final = 2000


class Transcript:
    """The outputs of one call. What is printed joins the logs before it; what controls a terminal is left out."""

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []
        """As they stand in the step."""
        self._held = ""

    @property
    def logs(self) -> str:
        """All that was printed."""
        return "".join(each["logs"] for each in self.outputs if each["type"] == "logs")

    def write(self, text: str) -> dict[str, Any] | None:
        """Add what was printed; gives what that is as a delta of the step's outputs, None when it is nothing yet."""
        text = self._held + text
        begun = _BEGUN.search(text)
        at = begun.start() if begun and len(text) - begun.start() <= _LONGEST_BEGUN else len(text)
        self._held = text[at:]
        return self._add(clean(_CONTROL.sub("", text[:at])))

    def line(self, text: str) -> dict[str, Any] | None:
        """Add a text of its own, from the start of a line."""
        self._held = ""
        last = self.outputs[-1]["logs"] if self.outputs and self.outputs[-1]["type"] == "logs" else "\n"
        return self.write(f"{text}\n" if last.endswith("\n") else f"\n{text}\n")

    def image(self, file_id: str) -> dict[str, Any]:
        """Add an image; gives the delta."""
        self.outputs.append(image_of(file_id))
        return {"index": len(self.outputs) - 1, **self.outputs[-1]}

    def _add(self, text: str) -> dict[str, Any] | None:
        if not text:
            return None
        if self.outputs and self.outputs[-1]["type"] == "logs":
            self.outputs[-1]["logs"] += text
        else:
            self.outputs.append({"type": "logs", "logs": text})
        return {"index": len(self.outputs) - 1, "type": "logs", "logs": text}


def image_of(file_id: str) -> dict[str, Any]:
    """Make the output that an image is."""
    return {"type": "image", "image": {"file_id": file_id}}
