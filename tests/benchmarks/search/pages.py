"""What names a passage in a page of documentation: headings, links with words of their own, first sentences.

reStructuredText and Markdown are read as far as that needs, Python with `ast`.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.search.questions import Named, Page

__all__ = ["docstrings", "markdown", "restructured"]

_RST_HEADING: Final = re.compile(
    r"^(?:(?P<over>([=\-~^'\"#*+])\2{2,})\n)? ?(?P<title>\S.*)\n(?P<under>([=\-~^'\"#*+])\5{2,})$", re.MULTILINE
)
_RST_LABEL: Final = re.compile(r"^\.\. _(?P<label>[^:`\n]+):[ \t]*$", re.MULTILINE)
_RST_LINK: Final = re.compile(r":(?P<role>ref|doc):`(?P<words>[^`<]+?)\s*<(?P<target>[^`>]+)>`")
_RST_MARKUP: Final = re.compile(r":[a-z:]+:`([^`<]*?)(?:\s*<[^`>]*>)?`|``([^`]*)``|\*\*([^*]*)\*\*|\*([^*]*)\*")
_FENCE: Final = re.compile(r"^[ \t]*(```|~~~).*?^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)
_MD_HEADING: Final = re.compile(r"^#{1,6}[ \t]+(?P<title>.+?)[ \t]*(?:\{#(?P<label>[^}]+)\})?[ \t]*$", re.MULTILINE)
_MD_LINK: Final = re.compile(r"(?<!!)\[(?P<words>[^\[\]]+)\]\((?P<target>[^()\s]+)\)")
_MD_MARKUP: Final = re.compile(r"[`*]+|\[([^\[\]]*)\]\([^()]*\)")
_SENTENCE: Final = re.compile(r".+?(?:[.?!](?=\s|$)|(?=\n\n)|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading, where it stands, by which labels links know it, and what stands below it, before any other heading."""

    page: str
    title: str
    labels: frozenset[str]
    at: int
    start: int
    end: int


def restructured(pages: Sequence[Page]) -> Iterator[Named]:
    """Walk what names passages in pages of reStructuredText."""
    sections = [section for page in pages for section in _rst_sections(page)]
    links = [(page, link, _rst_target(page, link)) for page in pages for link in _RST_LINK.finditer(page.text)]
    yield from _named(sections, links, _RST_MARKUP)


def markdown(pages: Sequence[Page]) -> Iterator[Named]:
    """Walk what names passages in pages of Markdown."""
    sections = [section for page in pages for section in _md_sections(page)]
    links = [(page, link, _md_target(page, link["target"])) for page in pages for link in _MD_LINK.finditer(page.text)]
    yield from _named(sections, links, _MD_MARKUP)


def docstrings(module: str, source: str) -> tuple[Page, Sequence[Named]]:
    """Give the docstrings of a module and its functions as a page, and the first sentences, which sum up functions."""
    text, named = f"{module}\n\n", list[Named]()
    name = f"{module}.txt"
    tree = ast.parse(source)
    text += (ast.get_docstring(tree) or "") + "\n\n"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        said = ast.get_docstring(node) or ""
        head = f"{node.name}({', '.join(argument.arg for argument in node.args.args)})\n\n"
        first = _SENTENCE.match(said)
        if first is not None:
            at = len(text) + len(head)
            cut = (name, at, at + first.end())
            words = " ".join(first.group().split())
            named.append(Named("summary", words, [cut], name, at + first.end(), at + len(said)))
        text += f"{head}{said}\n\n\n"
    return Page(name, text), named


def _named(
    sections: Sequence[_Section], links: Sequence[tuple[Page, re.Match[str], str]], markup: re.Pattern[str]
) -> Iterator[Named]:
    for section in sections:
        words = _plain(section.title, markup)
        yield Named(
            "heading", words, [(section.page, section.at, section.start)], section.page, section.start, section.end
        )
    to: Mapping[str, _Section] = {label: section for section in sections for label in section.labels}
    uses: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for page, link, target in links:
        words = _plain(" ".join(link["words"].split()), markup)
        if target in to and words.casefold() != _plain(to[target].title, markup).casefold():
            uses.setdefault((words, target), []).append((page.name, *link.span("words")))
    for (words, target), cuts in uses.items():
        section = to[target]
        yield Named("link", words, cuts, section.page, section.start, section.end)


def _rst_sections(page: Page) -> Iterator[_Section]:
    found = [each for each in _RST_HEADING.finditer(page.text) if len(each["under"]) >= len(each["title"])]
    ends = [*(each.start() for each in found[1:]), len(page.text)]
    labels = [(label.end(), label["label"]) for label in _RST_LABEL.finditer(page.text)]
    for number, (heading, end) in enumerate(zip(found, ends, strict=True)):
        here = {label for at, label in labels if not page.text[at : heading.start()].strip() and at <= heading.start()}
        names = {*here, *([f"/{page.name.removesuffix('.txt')}"] if number == 0 else [])}
        yield _Section(page.name, heading["title"], frozenset(names), heading.start(), heading.end(), end)


def _rst_target(page: Page, link: re.Match[str]) -> str:
    if link["role"] == "ref":
        return link["target"]
    return posixpath.join(f"/{posixpath.dirname(page.name)}", link["target"].rstrip("/"))


def _md_sections(page: Page) -> Iterator[_Section]:
    code = [each.span() for each in _FENCE.finditer(page.text)]
    found = [
        each for each in _MD_HEADING.finditer(page.text) if not any(start <= each.start() < end for start, end in code)
    ]
    ends = [*(each.start() for each in found[1:]), len(page.text)]
    for number, (heading, end) in enumerate(zip(found, ends, strict=True)):
        names = {f"{page.name}#{heading['label']}"} if heading["label"] else set()
        names |= {page.name} if number == 0 else set()
        yield _Section(page.name, heading["title"], frozenset(names), heading.start(), heading.end(), end)


def _md_target(page: Page, target: str) -> str:
    path, _, label = target.partition("#")
    name = posixpath.normpath(posixpath.join(posixpath.dirname(page.name), path)) if path else page.name
    return f"{name}#{label}" if label else name


def _plain(words: str, markup: re.Pattern[str]) -> str:
    return markup.sub(lambda found: "".join(group or "" for group in found.groups()), words).strip()
