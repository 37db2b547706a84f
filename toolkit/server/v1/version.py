"""Which version of the API a request speaks, and what is said of parts of v1 that are out of place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from toolkit.engine.objects.invalid import MOST_FAULTS, path_of
from toolkit.errors import Refused

__all__ = ["V1_REFUSAL", "is_v1", "refused", "stray"]

V1_REFUSAL: Final = (
    "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'. "
    "See the migration guide for more information: https://platform.openai.com/docs/assistants/migration."
)

_AZURES_V1: Final = b"api-version=2024-02-15-preview"
"""Clients of Azure send no header: the first version of its API with assistants has those of v1, later ones of v2."""


def is_v1(headers: Mapping[bytes, bytes], query: bytes) -> bool:
    """Whether a request speaks v1: its `OpenAI-Beta` says so or, where that names no version, Azure's `api-version`."""
    beta = headers.get(b"openai-beta", b"")
    if b"assistants=" in beta:
        return b"assistants=v1" in beta
    return _AZURES_V1 in query


def refused(why: str) -> Refused:
    """Make the hosted service's answer to v1, and say in brackets why it is given here, where v1 is served."""
    return Refused(f"{V1_REFUSAL} ({why})", code="invalid_beta")


def stray(error: ValidationError) -> Refused | None:
    """Make the answer to a request that has a part of v1 where none is taken, whatever else is wrong with it."""
    if error.error_count() > MOST_FAULTS:
        return None
    for detail in error.errors(include_url=False):
        if _is_of_v1(detail):
            return refused(
                f"'{path_of(detail['loc'])}' is not understood here. Requests with the header 'OpenAI-Beta: "
                "assistants=v1' may have what v1 had."
            )
    return None


def _is_of_v1(detail: ErrorDetails) -> bool:
    if detail["type"] == "extra_forbidden":
        return detail["loc"][-1] == "file_ids" and "tool_resources" not in detail["loc"]
    return detail["type"] == "union_tag_invalid" and detail.get("ctx", {}).get("tag") == "#retrieval"
