"""An OpenAPI document becomes a toolset: each operation a tool that sends a request.

document.py    read a document, its references and servers      operations.py  a document -> its operations
schemas.py     schemas of OpenAPI -> JSON Schema                encoding.py    values -> parts of a request
building.py    an operation and arguments -> a request          sending.py     send it, and tell the model the answer
auth.py        keys, which neither model nor log ever sees      tools.py       all of it together

What the model writes can change neither where a request goes nor what is sent beside its arguments.
"""

from __future__ import annotations

from toolkit.openapi.tools import from_openapi

__all__ = ["from_openapi"]
