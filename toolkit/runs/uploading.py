"""What an output cannot carry is uploaded before it is handed in, and the output names the file.

Functions of the Assistants API answer with text alone. So the images and files that tools return go to the server
first, each once in a run, and the text says by which ids they are there. One that cannot be uploaded does not end the
run: the model is told so. They stay at the server, for whoever wants to show them: `result.file_ids`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from toolkit.errors import RunLost
from toolkit.runs.asking import again, ask, pauses
from toolkit.runs.effects import Effect, FinishedCall, Record, Reply
from toolkit.runs.hosts import Files
from toolkit.runs.progress import Progress
from toolkit.tools.attachments import Attachment, Part
from toolkit.tools.output import MAX_OUTPUT_BYTES, output_of

__all__ = ["uploaded"]

_FAILED = "[It could not be uploaded.]"
_NO_FILE = "The server's answer to an upload was no file."


def uploaded(progress: Progress, finished: Sequence[FinishedCall]) -> Generator[Effect, Reply, Sequence[FinishedCall]]:
    """Upload what the outputs of a turn hold besides text, and give them as they are to be handed in."""
    files = progress.host.files
    if files is None or not any(one.output.parts for one in finished):
        return finished
    tries = pauses(progress)  # for all of them together: a server that is away is away for each
    done: list[FinishedCall] = []
    for one in finished:
        done.append((yield from _with_files(progress, files, one, tries)))
    progress.calls[-len(done) :] = done
    return done


def _with_files(
    progress: Progress, files: Files, finished: FinishedCall, tries: Iterator[float]
) -> Generator[Effect, Reply, FinishedCall]:
    """Give a call with an output that names its files."""
    parts: list[Part] = []
    error = finished.error
    for part in finished.output.parts:
        parts.append(part)
        if isinstance(part, Attachment) and part.data and not part.file_id:
            file_id, why = yield from _upload(progress, files, finished, part, tries)
            parts[-1:] = [part, _FAILED] if file_id is None else [replace(part, file_id=file_id)]
            error = error or why
    if tuple(parts) == finished.output.parts:
        return finished
    tool = progress.gate.toolset.find(finished.call.name)
    said = output_of(parts, MAX_OUTPUT_BYTES if tool is None else tool.terms.max_output_bytes)
    return replace(finished, output=said._replace(ok=finished.output.ok), error=error)


def _upload(
    progress: Progress, files: Files, finished: FinishedCall, attachment: Attachment, tries: Iterator[float]
) -> Generator[Effect, Reply, tuple[str | None, Exception | None]]:
    """Give the id of what is uploaded, now or before; or None, and why there is none."""
    request = files.upload(progress.known, finished.call, attachment)
    key = request.headers["Idempotency-Key"]
    if key in progress.uploads:
        return progress.uploads[key], None
    reply = yield from ask(progress, request)
    while (file_id := files.uploaded(reply)) is None and (yield from again(progress, reply, tries)):
        reply = yield from ask(progress, request)
    error = None
    if file_id is None:
        error = reply.error or RunLost(_NO_FILE)
    else:
        progress.uploads[key] = file_id
    yield from ask(progress, Record(progress.known["id"], finished.call, key, file_id, error))
    return file_id, error
