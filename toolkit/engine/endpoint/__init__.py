"""Any OpenAI-compatible chat completions endpoint, behind the Model seam.

sse.py         bytes -> events
fragments.py   the pieces of calls, as servers send them -> calls
dialects.py    events -> deltas
failures.py    what a refusal means
model.py       sends requests and reads the answers
"""

from __future__ import annotations

from toolkit.engine.endpoint.model import Endpoint

__all__ = ["Endpoint"]
