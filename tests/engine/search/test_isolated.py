"""Documents read for real: in forks that are sealed, and whatever they hold."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.engine.search import documents
from toolkit.engine.search import isolated
from toolkit.engine.search.isolated import Documents
from toolkit.engine.search.reading import Text, Unreadable
from toolkit.engine.search.sealing import can_seal

pytestmark = pytest.mark.skipif(not can_seal(), reason="documents are read on Linux alone")

T = TypeVar("T")


def with_documents(work: Callable[[Documents], Awaitable[T]]) -> T:
    async def run() -> T:
        reader = Documents()
        try:
            return await work(reader)
        finally:
            await reader.aclose()

    return asyncio.run(run())


def read(data: bytes) -> Text:
    return with_documents(lambda reader: reader.read(data))


def refused(data: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as error:
        read(data)
    return error.value.code, str(error.value)


def test_word() -> None:
    text = read(documents.docx())
    assert "Plant | Soil\nRose | loam" in text.value
    assert [text.place(text.value.index(word)) for word in ("Prune", "loam", "Water")] == [
        "Garden > Roses",
        "Garden > Roses > Soil",
        "Garden > Tomatoes",
    ]


def test_powerpoint() -> None:
    text = read(documents.pptx())
    assert text.value == "Roses\nPrune in March\nNote on Roses\n\nTomatoes\nWater\nNote on Tomatoes\n\n"
    assert text.places == ((0, "slide 1"), (36, "slide 2"))


def test_excel() -> None:
    text = read(documents.xlsx())
    assert text.value == "Month | Sum\nMay | 12.5\nJune |\n\nRent\n\n"
    assert [place for _, place in text.places] == ["sheet Sales", "sheet Costs"]


def test_pdf() -> None:
    text = read(documents.pdf("Roses in March", "Tomatoes", ""))
    assert text.value == "Roses in March\n\nTomatoes\n\n"
    assert text.place(text.value.index("Tomatoes")) == "page 2"


def test_html() -> None:
    text = read(documents.html())
    assert text.value == "Garden\n\nRoses & more\n\nSoil\n\nloam\nclay\n\nPlant | Month\n\nRose | March\n\n"
    assert text.place(text.value.index("clay")) == "Garden > Soil"


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (documents.zipped(**{"a.txt": b"x"}), "unsupported_file", "no document of a kind"),
        (b"%PDF-1.7 nothing more", "invalid_file", "damaged"),
        (documents.pdf("Roses")[:400], "invalid_file", "damaged"),
        (documents.zipped(**{"word/document.xml": b"<not xml"}), "invalid_file", "damaged"),
        (documents.zipped(**{"xl/workbook.xml": b""}), "invalid_file", "damaged"),
        (documents.docx()[:2000] + b"word/document.xml", "invalid_file", "damaged"),
    ],
    ids=["zip", "no pdf", "half a pdf", "no xml", "empty", "half a docx"],
)
def test_what_cannot_be_read_is_told(data: bytes, code: str, said: str) -> None:
    found, message = refused(data)
    assert (found, said in message) == (code, True), message


def test_a_bomb_goes_off_alone() -> None:
    """An archive of two megabytes that unpacks to a little more than may be."""
    bomb = documents.bomb(513)
    assert len(bomb) < 3 * 2**20
    assert refused(bomb) == ("invalid_file", "The file unpacks to more than 512 MiB.")


def test_entities_that_multiply_and_files_that_are_named_come_to_nothing() -> None:
    laugh = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    body = "<w:document xmlns:w='x'><w:body>&l9;&file;</w:body></w:document>"
    evil = f'<!DOCTYPE a [<!ENTITY l0 "lol">{laugh}<!ENTITY file SYSTEM "file:///etc/passwd">]>{body}'
    with pytest.raises(Unreadable):
        read(documents.zipped(**{"word/document.xml": evil.encode(), "[Content_Types].xml": b"<a/>"}))


def test_a_reader_that_was_killed_is_started_again() -> None:
    async def work(reader: Documents) -> Text:
        await reader.read(documents.pdf("One"))
        process: Any = reader._process
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises((Unreadable, ConnectionError, asyncio.IncompleteReadError)):
            await reader.read(documents.pdf("Two"))
        return await reader.read(documents.pdf("Three"))

    assert with_documents(work).value == "Three\n\n"


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "_WALL_S", 0.001)
    code, said = refused(documents.pdf("Slow"))
    assert (code, "more than 0 seconds" in said) == ("invalid_file", True)


def test_nothing_is_left_behind() -> None:
    pids: list[int] = []

    async def work(reader: Documents) -> None:
        await reader.read(documents.pdf("One"))
        process: Any = reader._process
        pids.append(process.pid)

    with_documents(work)
    assert not Path(f"/proc/{pids[0]}").exists()
