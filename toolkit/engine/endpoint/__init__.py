"""Any OpenAI-compatible chat completions endpoint, behind the Model seam.

address.py     where it is
asking.py      a request -> the body that is sent
sse.py         bytes -> events
fragments.py   the pieces of calls, as servers send them -> calls
dialects.py    events -> deltas
failures.py    what a refusal means
listing.py     which models there are, and how much they can read
model.py       sends requests and reads the answers
"""

from __future__ import annotations

from toolkit.engine.endpoint.model import Endpoint

__all__ = ["Endpoint"]
