"""What comes from files, told apart: lines of exports go into the store at once, objects of dumps when all is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from pydantic import ValidationError

from toolkit.engine.blobs import Blobs
from toolkit.engine.store import Store
from toolkit.engine.transfer.arranging import Dumps
from toolkit.engine.transfer.contents import Contents, Folder
from toolkit.engine.transfer.documents import Document, Unreadable, documents
from toolkit.engine.transfer.dumps import found_in
from toolkit.engine.transfer.importing import Import
from toolkit.engine.transfer.lines import (
    VERSION,
    BytesLine,
    EndLine,
    ExportLine,
    FileLine,
    ObjectLine,
    is_line,
    line_of,
)
from toolkit.engine.transfer.shapes import as_object, problem
from toolkit.engine.transfer.taking import Options, Placed
from toolkit.errors import EngineError

__all__ = ["Intake"]


class Intake:
    """An import of one file or several: `read` each, then `finish`.

    `project` takes everything into one, and is where dumps go; None is the project that a line says, and "default".
    What cannot be taken over is told to `tell`, a line each, and the rest goes on. Raises StoreUnavailable.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        *,
        tell: Callable[[str], None],
        options: Options,
        now: int,
        project: str | None = None,
        folder: Folder | None = None,
    ) -> None:
        self._tell, self._options, self._now, self._project = tell, options, now, project
        self._import = Import(store, options, tell)
        self._contents = Contents(store, blobs, self._import, tell, folder)
        self._dumps = Dumps(project or "default", tell)
        self.tally = self._import.tally
        self.passed_over = self._dumps.passed_over
        """Objects that are not imported, by what they are."""
        self.expired = 0
        """Files whose time was up, which are not imported."""
        self.read_lines = 0

    async def read(self, name: str, file: BinaryIO) -> None:
        """Take in a file. Raises EngineError when a newer version has made it."""
        whole = _Whole(name, self._tell)
        async with self._contents:
            for document in documents(file):
                self.read_lines += 1
                whole.count()
                place = f"{name}, line {document.line}"
                if isinstance(document, Unreadable):
                    self._tell(f"{place}: {document.why}.")
                elif is_line(document.value):
                    await self._take(document, place, whole)
                else:
                    self._find(document, place)
            await self._contents.end()
        whole.end()

    async def finish(self) -> None:
        """Put in what is still here."""
        async with self._contents:
            for placed in self._dumps.lines():
                await self._put(placed.line, placed.place)
        await self._import.finish()

    async def _take(self, document: Document, place: str, whole: _Whole) -> None:
        if _is_newer(document.value):
            raise EngineError(f"{place}: a newer version of assistants-toolkit has made this. Upgrade, then import it.")
        try:
            line = line_of(document.value)
        except ValidationError as error:
            self._tell(f"{place}: {_what(document.value)} cannot be read: {problem(error)}")
            return
        match line:
            case ExportLine():
                whole.begin()
            case EndLine():
                whole.check(line)
            case BytesLine():
                if not self._options.dry_run:
                    await self._contents.piece(line, place)
            case _:
                await self._put(line if self._project is None else _of(self._project, line), place)

    async def _put(self, line: ObjectLine, place: str) -> None:
        if isinstance(line, FileLine) and (line.object.get("expires_at") or self._now + 1) <= self._now:
            self.expired += 1
        elif isinstance(line, FileLine) and not self._options.dry_run:
            await self._contents.file(Placed(line, place), line)
        else:
            await self._import.take(Placed(line, place))

    def _find(self, document: Document, place: str) -> None:
        nothing = True
        for found in found_in(document.value):
            nothing = False
            self._dumps.add(found, place)
        if nothing:
            self._tell(f"{place}: there is no object of the API in it.")


class _Whole:
    """Notices when lines of an export are missing: it begins with one that says so, and ends with their number."""

    def __init__(self, name: str, tell: Callable[[str], None]) -> None:
        self._name, self._tell = name, tell
        self._lines = 0
        self._open = False

    def count(self) -> None:
        """Count a line, whatever it is."""
        self._lines += 1

    def begin(self) -> None:
        """See a first line."""
        self.end()
        self._lines, self._open = 1, True

    def check(self, last: EndLine) -> None:
        """See a last line."""
        missing = last.lines - self._lines + 1
        if missing > 0:
            self._tell(f"{self._name}: {missing:,} of the {last.lines:,} lines that were exported are missing.")
        self._lines, self._open = 0, False

    def end(self) -> None:
        """See the end of the file, or another first line."""
        if self._open:
            self._tell(f"{self._name} was cut off: its last line is missing. What is there was taken over.")


def _is_newer(value: Any) -> bool:
    version = value.get("version") if value.get("kind") == "export" else None
    return isinstance(version, int) and version > VERSION


def _of(project: str, line: Any) -> Any:
    return line.model_copy(update={"project": project})


def _what(value: Any) -> str:
    """Name a line that cannot be read, as far as it says what it is."""
    kind, name = value.get("kind"), as_object(value.get("object")).get("id")
    return " ".join(str(part) for part in (kind, name) if isinstance(part, str)) or "this"
