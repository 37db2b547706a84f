"""What the API allows of an assistant."""

from __future__ import annotations

from typing import Final

__all__ = ["MOST_TOOLS"]

MOST_TOOLS: Final = 128
"""ModifyAssistantRequest.tools of the API reference, maxItems."""
