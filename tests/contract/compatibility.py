"""The tables of docs/compatibility.md that follow from the official description.

`python -m tests.contract.compatibility` writes them. What is otherwise here is told in the page's table of differences,
and `CONCERNS` says what each of those is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.contract.derive import ROOTS
from tests.contract.inspection import OBJECTS
from tests.contract.official import BESIDES, events, kept, properties
from tests.contract.operations import OFFICIAL, Operation

__all__ = ["CONCERNS", "PAGE", "TABLES", "written"]

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"

_RUNS = ("createRun", "createThreadAndRun")
_ENDS = ("thread.run.failed", "thread.message.incomplete")
CONCERNS: Mapping[str, Sequence[str]] = {
    "Ids of an empty page": (),
    "Details of usage": ("RunObject", "RunStepObject"),
    "`tool_resources` of runs": ("createRun", "RunObject"),
    "A tool named without its list": ("modifyAssistant", "modifyThread"),
    "`reasoning_effort` given back": ("AssistantObject", "RunObject"),
    "`description` of vector stores": ("VectorStoreObject",),
    "`embedding` of vector stores": ("VectorStoreObject",),
    "`chunks` of vector stores": ("VectorStoreObject",),
    "`quote` in citations": ("MessageObject",),
    "Marks of citations": ("MessageObject",),
    "`tool_resources` of a run made with its thread": ("createThreadAndRun",),
    "The beta header": (),
    "A list of threads": (),
    "Null on creation": (),
    "Parameters of queries": (),
    "Attachments and outputs": ("createMessage", "submitToolOuputsToRun"),
    "Outputs that are no strings": ("submitToolOuputsToRun",),
    "Tools of a run": (*_RUNS, "RunObject"),
    "Lengths of lists": ("createMessage", "createThread", "createThreadAndRun", "createRun", "submitToolOuputsToRun"),
    "Cancelling": ("cancelRun", "thread.run.cancelling"),
    "A model that fails": _ENDS,
    "A content filter": _ENDS,
    "Times in a thread": ("MessageObject",),
    "A cursor that was deleted": (),
    "Leaving a stream": (),
    "A thread that is deleted": ("deleteThread", "thread.run.cancelled", "error"),
    "An assistant that is deleted": ("deleteAssistant",),
    "Model names": ("createAssistant", "modifyAssistant", *_RUNS),
    "Deleting a model": ("deleteModel",),
    "Files for evals": ("OpenAIFile",),
    "Contents of files": ("downloadFile",),
    "Names of files": ("createFile", "createUpload"),
    "Uploads": ("createUpload",),
    "The type of an upload": ("createUpload",),
    "`chunking_strategy` of vector stores": ("createVectorStore",),
    "A file that is added to a vector store again": ("createVectorStoreFile", "createVectorStoreFileBatch"),
    "Kinds of files for search": ("createVectorStoreFile", "createVectorStoreFileBatch"),
    "Vector stores whose time is up": ("getVectorStore",),
    "Scores of search": ("searchVectorStore",),
    "Limits of search": ("searchVectorStore",),
    "`rewrite_query`": ("searchVectorStore",),
    "Projects": (),
    "Repeated requests": (),
}
"""Operations, objects and events that a difference is about; none when it is about all, or about none of them."""


def _differs(name: str) -> str:
    about = [difference for difference, names in CONCERNS.items() if name in names]
    return f"differs: {'; '.join(about)}" if about else "works"


def _code(names: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _taken(operation: Operation) -> Sequence[str]:
    body = operation.request["schema"]["$ref"].rpartition("/")[2] if operation.request else None
    return [*sorted(operation.query), *(sorted(properties(body)) if body else ())]


def _rank(operation: Operation) -> tuple[int, str, str]:
    return ROOTS.index(operation.path.split("/")[1]), operation.path, operation.method


def operations() -> Iterator[str]:
    """Give a row for each operation: method and path, parameters of its query and members of its body."""
    yield "| Operation | Takes | Here |"
    yield "|---|---|---|"
    for operation in sorted(OFFICIAL.values(), key=_rank):
        place = f"`{operation.method} {operation.path}`"
        yield f"| {place} | {_code(_taken(operation))} | {_differs(operation.id)} |"


def objects() -> Iterator[str]:
    """Give a row for each object of the API."""
    yield "| Object | Members | Here |"
    yield "|---|---|---|"
    for name in OBJECTS:
        if name.startswith("Delete"):
            continue
        schema = kept()["$defs"][name]["properties"]
        shown = schema["object"]["enum"][0] if "object" in schema else "a result of a search"
        more = sorted({member for by_name in BESIDES.values() for member in by_name.get(name, ())})
        members = _code(sorted(schema)) + (f"; besides {_code(more)}" if more else "")
        yield f"| {shown if ' ' in shown else _code([shown])} | {members} | {_differs(name)} |"


def told() -> Iterator[str]:
    """Give a row for each event of streams."""
    yield "| Event | Here |"
    yield "|---|---|"
    for name in events():
        yield f"| `{name}` | {_differs(name)} |"


TABLES = {"operations": operations, "objects": objects, "events": told}


def written(page: str) -> str:
    """Give the page with its tables as they should be."""
    for name, rows in TABLES.items():
        begin, end = f"<!-- {name}, by python -m tests.contract.compatibility -->", f"<!-- end of {name} -->"
        table = "\n".join([begin, *rows(), end])
        page, found = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _, table=table: table, page, flags=re.S)
        assert found == 1, name
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
