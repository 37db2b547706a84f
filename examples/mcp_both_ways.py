"""MCP both ways: a toolset served as an MCP server, and used through one by an assistant.

    python examples/mcp_both_ways.py

The server is `toolkit mcp examples/library.py`; in its place stands whatever MCP server you have. Calls that change
something are approved here, on our side; the server, started with --yes, leaves that to us.
"""

from __future__ import annotations

from pathlib import Path
from sys import executable

from toolkit import Call, run
from toolkit.engine import Engine
from toolkit.mcp import mcp_tools

TOOLKIT = str(Path(executable).with_name("toolkit"))
LIBRARY = str(Path(__file__).with_name("library.py"))


def approve(call: Call) -> bool:
    """Stand in for a person."""
    print(f"asked   {call.name}({call.arguments})")
    return True


def main() -> None:
    client = Engine("sqlite:///:memory:").client()
    with mcp_tools(TOOLKIT, "mcp", LIBRARY, "--yes", prefix="library_", approve=["lend_book"]) as tools:
        assistant = client.beta.assistants.create(model="offline", tools=tools.definitions)
        for request in (
            'Find the books of the author "Austen"',
            'Lend the book with the title "Persuasion" to the reader "Ann"',
        ):
            print(f"you     {request}")
            result = run(client, tools, assistant_id=assistant.id, input=request, approve=approve)
            for finished in result.calls:
                print(f"result  {finished.call.name}: {finished.output.content}")


if __name__ == "__main__":
    main()
