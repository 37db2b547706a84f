"""One call of code_interpreter: its session gets the run's files, runs the code, and what comes out is kept.

Pictures become files as they are shown, since listeners hear of them at once. The files that the code has written
become files together with the end of the turn: until then their bytes are held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from toolkit.engine import moves
from toolkit.engine.blobs import Blob
from toolkit.engine.calls import Held, Used
from toolkit.engine.code.naming import names_of
from toolkit.engine.code.sessions import Sessions, Taken
from toolkit.engine.code.tool import FOLDER, MISTAKE, code_of, told, without_fence
from toolkit.engine.code.transcript import Transcript, image_of
from toolkit.engine.events import code_delta
from toolkit.engine.filing import BytesMissing, Filing
from toolkit.engine.jsontext import clean, id_of
from toolkit.engine.model import ModelCall
from toolkit.engine.objects import files
from toolkit.engine.objects.runs import Event, Run
from toolkit.engine.patience import Patience
from toolkit.engine.store import Tx
from toolkit.errors import Refused

if TYPE_CHECKING:
    from toolkit.sandbox.sandbox import FileChanged, Output

__all__ = ["Interpreted", "Interpreting", "Stage", "input_files", "pictures", "start_over"]

_MOST_SHOWN: Final = 20_000
"""Characters of what code printed that the model gets, where there is room."""
_CHARACTERS_PER_TOKEN: Final = 3
_LEAST_S: Final = 1.0
_AFRESH: Final = (
    "This is a new Python session: the variables and files of earlier calls are gone. The user's own files are there."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a call is answered: its run, the turn it is of, and who hears of it."""

    run: Run
    store: Patience
    held: Held
    publish: Callable[[Iterable[Event]], None]
    now: Callable[[], int]
    left_s: Callable[[], float]
    room_tokens: int | None
    """What the model has room for."""
    kept: AsyncExitStack
    """Holds the bytes of files, and the session, until what they are of is written."""


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A call that has been answered."""

    call: ModelCall
    output: str
    """What the model is told."""
    input: str = ""
    outputs: Sequence[Mapping[str, Any]] = ()
    session: str | None = None
    put: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the user's files that are new in the session: path -> id."""
    made: Sequence[tuple[str, str, Blob]] = ()
    """Of the files that the code has written: path, name and bytes."""

    def use(self, tx: Tx, run: Run, now: int) -> Used:
        """Write down what it has made, for answers to link, and give how its step tells of it."""
        paths = dict(self.put)
        for path, name, blob in self.made:
            paths[path] = _file(tx, run, blob, name, now)
        for path, file_id in paths.items():
            tx.run("code.add_file", thread=run.thread, path=path, file=file_id)
        if self.session is not None:
            tx.run("code.set_session", thread=run.thread, session=self.session)
        said = {"input": self.input, "outputs": self.outputs}
        shown = {"id": self.call.id, "type": "code_interpreter", "code_interpreter": said}
        return Used(shown, shown, self.output)


class Interpreting:
    """Answers calls, in the sessions of one event loop."""

    def __init__(self, sessions: Sessions, filing: Filing) -> None:
        self.sessions, self._filing = sessions, filing

    async def interpret(self, stage: Stage, call: ModelCall, before: str | None = None) -> Interpreted:
        """Run the code of a call. Raises Fenced, StoreUnavailable, and SandboxUnavailable.

        `before` is the session that calls before it have had in this turn, of which the store knows only later.
        """
        code = code_of(call.arguments)
        if code is None:
            return Interpreted(call, MISTAKE)
        run = stage.run
        known = before if before is not None else await self._known(stage)
        taken, is_new = await self.sessions.take(run.thread, known)
        stage.kept.push_async_exit(self._unless_written(run.thread, taken))
        notes = [_AFRESH] if is_new and known is not None else []
        put, problems = await self._put(stage, taken)
        notes += problems
        transcript, changed, images = await self._execute(stage, call, taken, code)
        if images:
            notes.append(f"[{images} image{'s are' if images > 1 else ' is'} shown to the user with your answer.]")
        made, problems = await self._kept(stage, taken, changed)
        notes += problems
        most = min(_MOST_SHOWN, (stage.room_tokens or _MOST_SHOWN) * _CHARACTERS_PER_TOKEN)
        said = told(transcript.logs, notes, most)
        return Interpreted(call, said, clean(code), transcript.outputs, taken.id, put, made)

    def _unless_written(self, thread: str, taken: Taken) -> Callable[..., Awaitable[None]]:
        """What code has done in a turn that is not written to its end is nobody's: its session goes with it.

        By then the thread may have another run, and that one a session of its own.
        """

        async def leave(kind: type[BaseException] | None, *_: object) -> None:
            if kind is not None:
                await self.sessions.forget(thread, taken)

        return leave

    async def _known(self, stage: Stage) -> str | None:
        """Give the session that the thread has had in earlier turns."""
        row = await stage.store.read(lambda tx: tx.one("code.session", thread=stage.run.thread))
        return row["session"] if row is not None else None

    async def _put(self, stage: Stage, taken: Taken) -> tuple[Mapping[str, str], list[str]]:
        """Put the run's files where the code finds them, those that are not there; give path -> id, and problems."""
        from toolkit.sandbox.sandbox import Refusal

        run, put, problems = stage.run, dict[str, str](), list[str]()
        wanted = await stage.store.read(lambda tx: input_files(tx, run, stage.now()))
        missing = [each for each in wanted if each[0] not in taken.put]
        usual, most = names_of(wanted), self.sessions.limits.file_bytes
        for file_id, name in names_of(missing, taken.paths).items():
            taken.put.add(file_id)  # what cannot be put once is not tried again and again
            data = await self._read(run, file_id, most, stage.now())
            if data is None:
                why = f"it was deleted, its contents are not here, or it has more than {most:,} bytes"
                problems.append(f"[The file {name!r} could not be put into the session: {why}]")
                continue
            try:
                await taken.session.put(list(dict.fromkeys((name, file_id))), data)
            except Refusal as refused:
                problems.append(f"[The file {name!r} could not be put into the session: {refused}]")
                continue
            if name != usual[file_id]:
                problems.append(f"[The user's file {usual[file_id]!r} is {FOLDER}{name} here.]")
            put |= {name: file_id, file_id: file_id}
            taken.paths |= {name, file_id}
        return put, problems

    async def _read(self, run: Run, file_id: str, most: int, now: int) -> bytes | None:
        with contextlib.suppress(BytesMissing):  # logged; the run is not to wait for somebody to put them back
            return await self._filing.read(run.project, file_id, most, now)
        return None

    async def _execute(
        self, stage: Stage, call: ModelCall, taken: Taken, code: str
    ) -> tuple[Transcript, Sequence[FileChanged], int]:
        """Run code, and tell of what comes as it comes; give that, the files that have changed, and how many images."""
        from toolkit.sandbox.sandbox import FileChanged, Image

        index = [each.id for each in stage.held.turn.calls].index(call.id)
        transcript, changed, images = Transcript(), list[FileChanged](), 0
        limits = self.sessions.limits
        limits = replace(limits, call_s=max(_LEAST_S, min(limits.call_s, stage.left_s())))
        stage.held.calls[index] = {**stage.held.calls[index], "code_interpreter": _shown(code, transcript)}
        async with aclosing(taken.session.execute(without_fence(code), limits)) as outputs:
            async for output in outputs:
                if isinstance(output, FileChanged):
                    changed.append(output)
                    continue
                delta: Mapping[str, Any] | None
                if isinstance(output, Image):
                    images += 1
                    delta = await self._picture(stage, index, transcript, output.png, images)
                else:
                    delta = _written(transcript, output)
                if delta is not None:
                    stage.publish([code_delta(stage.held.step["id"], index, {"outputs": [delta]})])
        return transcript, changed, images

    async def _picture(
        self, stage: Stage, index: int, transcript: Transcript, png: bytes, number: int
    ) -> Mapping[str, Any]:
        """Make a file of a picture, and note in the step that it is there."""
        run = stage.run
        async with self._filing.receive() as incoming:
            await incoming.write(png)
            blob = await incoming.keep()

            def work(tx: Tx) -> str:
                file_id = _file(tx, run, blob, f"image-{number}.png", stage.now())
                moves.note(tx, run, stage.held.with_output(index, image_of(file_id)))
                return file_id

            return transcript.image(await stage.store.write(work))

    async def _kept(
        self, stage: Stage, taken: Taken, changed: Sequence[FileChanged]
    ) -> tuple[Sequence[tuple[str, str, Blob]], list[str]]:
        """Take the files that the code has written out of the session."""
        from toolkit.sandbox.sandbox import Refusal

        made: list[tuple[str, str, Blob]] = []
        said: list[str] = []
        for file in changed:
            path = clean(file.path)
            shown = FOLDER + "".join(each if each.isprintable() else "_" for each in path)
            try:
                data = await taken.session.read(file.path, self.sessions.limits.file_bytes)
            except Refusal as refused:
                said.append(f"[{shown} could not be kept: {refused}]")
                continue
            incoming = await stage.kept.enter_async_context(self._filing.receive())
            await incoming.write(data)
            made.append((path, clean(file.name), await incoming.keep()))
            taken.paths.add(path)
            link = path if path.isprintable() else quote(path)  # what the model is to write, and Linking knows
            said.append(f"[{shown} is kept for the user: sandbox:{FOLDER}{link}]")
        return made, said


def input_files(tx: Tx, run: Run, now: int) -> Sequence[tuple[str, str]]:
    """List the files that a run's code finds, as (id, file name), those that are still there."""
    rows = (tx.one("file.get", id=file_id, project=run.project, now=now) for file_id in run.files)
    return [(row["id"], row["filename"]) for row in rows if row is not None]


def pictures(details: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    """List the ids of the pictures in the `step_details` of steps."""
    calls = (call for each in details for call in each["tool_calls"] if call["type"] == "code_interpreter")
    outputs = (output for call in calls for output in call["code_interpreter"]["outputs"])
    return [output["image"]["file_id"] for output in outputs if output["type"] == "image"]


def start_over(tx: Tx, run: Run, held: Held, now: int) -> Held:
    """Forget what calls had given when their worker went away: they are answered anew."""
    for file_id in pictures([held.step["step_details"]]):
        with contextlib.suppress(Refused):  # the user has deleted it
            files.delete(tx, run.project, file_id, now)
    held = held.emptied()
    moves.note(tx, run, held)
    return held


def _file(tx: Tx, run: Run, blob: Blob, name: str, now: int) -> str:
    return id_of(
        files.create(tx, run.project, blob, now, filename=name, purpose="assistants_output", expires_after=None)
    )


def _shown(code: str, transcript: Transcript) -> Mapping[str, Any]:
    return {"input": clean(code), "outputs": transcript.outputs}


def _written(transcript: Transcript, output: Output) -> Mapping[str, Any] | None:
    from toolkit.sandbox.sandbox import Ended, Failure, Result, Text

    match output:
        case Text(text):
            return transcript.write(text)
        case Result(text) | Failure(text) | Ended(_, text):
            return transcript.line(text)
        case _:
            return None
