"""Runs as a running server tells them, through the official client.

The API lists the runs of one thread at a time, so whoever wants all asks thread by thread, the newest first, and stops
after a while. A key sees the runs of its own project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast
from urllib.parse import urlencode

import typer

from toolkit.cli.record import Record
from toolkit.cli.run import V2
from toolkit.cli.settings import check_server, key_in

if TYPE_CHECKING:
    from openai import OpenAI

__all__ = ["LOOKED_AT", "Key", "KeyFile", "Listing", "Url", "cancelled", "client_of", "found", "newest", "record_of"]

Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Ask a running server instead, such as one of toolkit serve.")
]
Key = Annotated[str | None, typer.Option("--url-key", envvar="TOOLKIT_URL_KEY", metavar="KEY", help="Its key.")]
KeyFile = Annotated[
    Path | None, typer.Option("--url-key-file", metavar="FILE", help="File that holds the server's key.")
]

LOOKED_AT: Final = 200
"""Threads that are asked for their runs, at most."""

_PAGE: Final = 100

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """Runs, newest first, and whether there are older threads that nobody looked at."""

    records: list[Record]
    more: bool


def client_of(url: str, key: str | None, key_file: Path | None) -> OpenAI:
    """Make a client of a running server. Raises Mistake for a file that holds no key, and for what is no address."""
    from openai import OpenAI

    check_server(url)
    if key_file is not None:
        key = key_in(key_file, "--url-key-file")
    return OpenAI(base_url=url, api_key=key or "none")


def newest(client: OpenAI, *, status: str | None, limit: int) -> Listing:
    """List the runs on the newest threads: a request for each of them."""
    threads = list(islice(_listed(client, "/threads"), LOOKED_AT + 1))
    runs: list[Object] = []
    for thread in threads[:LOOKED_AT]:
        of_thread = _listed(client, f"/threads/{thread['id']}/runs")
        runs += islice((run for run in of_thread if status in (None, run["status"])), limit)
    runs.sort(key=lambda run: run["created_at"], reverse=True)
    return Listing([Record(run) for run in runs[:limit]], len(threads) > LOOKED_AT)


def found(client: OpenAI, run_or_thread_id: str) -> Object | None:
    """Look for a run on the newest threads; of a thread it is the newest. None when there is none."""
    from openai import NotFoundError

    with suppress(NotFoundError):
        return next(_listed(client, f"/threads/{run_or_thread_id}/runs"), None)
    for thread in islice(_listed(client, "/threads"), LOOKED_AT):
        with suppress(NotFoundError):
            return _got(client, f"/threads/{thread['id']}/runs/{run_or_thread_id}")
    return None


def record_of(client: OpenAI, run: Object) -> Record:
    """Read what a server tells of a run besides the run itself."""
    thread = f"/threads/{run['thread_id']}"
    steps = list(_listed(client, f"{thread}/runs/{run['id']}/steps", order="asc"))
    messages = list(_listed(client, f"{thread}/messages", order="asc", run_id=run["id"]))
    return Record(run, steps=steps, messages=messages)


def cancelled(client: OpenAI, run: Object) -> Object:
    """Cancel a run."""
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/cancel"
    return cast("Object", client.post(path, cast_to=object, options=V2))


def _listed(client: OpenAI, path: str, **query: str) -> Iterator[Object]:
    """Go through a list of the API, page by page."""
    after: dict[str, str] = {}
    while True:
        page = _got(client, path, limit=str(_PAGE), **query, **after)
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"after": page["last_id"]}


def _got(client: OpenAI, path: str, **query: str) -> Object:
    where = f"{path}?{urlencode(query)}" if query else path
    return cast("Object", client.get(where, cast_to=object, options=V2))
