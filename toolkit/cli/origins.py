"""What flags and environment say about names and web pages, for `toolkit serve`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from toolkit.cli.mistakes import Mistake

__all__ = ["AllowHost", "CorsOrigin", "cors_origins", "listed"]

AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        envvar="TOOLKIT_ALLOW_HOSTS", metavar="NAME", help="A name it is addressed by, without keys; repeatable."
    ),
]
CorsOrigin = Annotated[
    list[str] | None,
    typer.Option(
        envvar="TOOLKIT_CORS_ORIGINS", metavar="ORIGIN", help="Web pages that may use it; repeatable, * is any."
    ),
]


def listed(given: Sequence[str] | None) -> list[str]:
    """Take apart what stands between commas, as lists in the environment are written."""
    return [part.strip() for each in given or () for part in each.split(",") if part.strip()]


def cors_origins(given: Sequence[str] | None, *, keys: bool) -> list[str]:
    """Read the origins of web pages that are let in. Raises Mistake when that would be all, and without a key."""
    origins = listed(given)
    if "*" in origins and not keys:
        raise Mistake(
            "Without a key any web page could use the server: --cors-origin * needs one.\n"
            "Make one with toolkit keys create, or name the pages: --cors-origin https://app.example"
        )
    return origins
