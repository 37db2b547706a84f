"""The tools of a small library, served to any client of MCP.

    toolkit mcp examples/library.py
    toolkit mcp examples/library.py --http 8080

Lending a book needs a person's approval: the client asks for it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from toolkit import ToolError, Toolset, tool

BOOKS = {"Persuasion": "Jane Austen", "Emma": "Jane Austen", "Middlemarch": "George Eliot"}
lent: dict[str, str] = {}


@tool(read_only=True)
def find_books(author: str, most: Annotated[int, Field(ge=1, le=50)] = 10) -> list[str]:
    """Find the books of an author.

    Args:
        author: Name of the author, or a part of it, such as Austen.
        most: How many to give.
    """
    return [title for title, by in BOOKS.items() if author.casefold() in by.casefold()][:most]


@tool(approve=True)
def lend_book(title: str, reader: str) -> str:
    """Lend a book to a reader.

    Args:
        title: Title of the book, as find_books gives it.
        reader: Name of the reader.
    """
    if title not in BOOKS:
        raise ToolError(f"There is no book {title!r}. find_books says what there is.")
    if title in lent:
        raise ToolError(f"{title} is lent to {lent[title]}.")
    lent[title] = reader
    return f"{title} is lent to {reader}."


tools = Toolset(find_books, lend_book, instructions="Look a book up before you lend it.")
