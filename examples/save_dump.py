"""Save what a server of the Assistants API holds, for `toolkit import`: objects as JSON lines, files in a folder.

python examples/save_dump.py FOLDER THREAD_ID...

OPENAI_BASE_URL and OPENAI_API_KEY say which server. The API has no list of threads, so they are named by their ids,
which programs keep; "-" reads them from stdin, one a line.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from openai import APIStatusError, NotFoundError, OpenAI
from pydantic import BaseModel

CONTENTS: Final = "step_details.tool_calls[*].file_search.results[*].content"
"""The passages that searches found, which the API tells only who asks for them."""

warnings.filterwarnings("ignore", ".*deprecated", DeprecationWarning)  # the Assistants API: that is why we are here


def objects(client: OpenAI, thread_ids: Iterable[str]) -> Iterator[BaseModel]:
    """Read everything, oldest first."""
    yield from client.files.list(order="asc")
    for store in client.vector_stores.list(order="asc", limit=100):
        yield store
        yield from client.vector_stores.files.list(store.id, order="asc", limit=100)
    yield from client.beta.assistants.list(order="asc", limit=100)
    for thread_id in thread_ids:
        try:
            yield client.beta.threads.retrieve(thread_id)
        except NotFoundError:
            print(f"{thread_id} is not there", file=sys.stderr)
            continue
        yield from client.beta.threads.messages.list(thread_id, order="asc", limit=100)
        for run in client.beta.threads.runs.list(thread_id, order="asc", limit=100):
            yield run
            yield from client.beta.threads.runs.steps.list(
                run.id, thread_id=thread_id, order="asc", limit=100, include=[CONTENTS]
            )


def save_content(client: OpenAI, file_id: str, folder: Path) -> None:
    """Save the content of a file under its id. The hosted service gave none of purpose `assistants`."""
    try:
        with client.files.with_streaming_response.content(file_id) as content:
            content.stream_to_file(folder / file_id)
    except APIStatusError as error:
        print(f"{file_id}: no content ({error.status_code})", file=sys.stderr)


def main(folder: Path, thread_ids: Iterable[str]) -> None:
    """Save everything into a folder."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    with OpenAI() as client, (folder / "dump.jsonl").open("w", encoding="utf-8") as dump:
        for number, found in enumerate(objects(client, thread_ids), start=1):
            dump.write(found.to_json(indent=None) + "\n")  # type: ignore[attr-defined] # every object of the SDK has it
            if found.object == "file":  # type: ignore[attr-defined] # and says what it is
                save_content(client, found.id, folder / "files")  # type: ignore[attr-defined]
            print(f"\r{number} objects", end="", file=sys.stderr)
    print(f"\ntoolkit import {folder}/dump.jsonl --files-from {folder}/files", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    named = sys.argv[2:]
    main(Path(sys.argv[1]), (line.strip() for line in sys.stdin if line.strip()) if named == ["-"] else named)
